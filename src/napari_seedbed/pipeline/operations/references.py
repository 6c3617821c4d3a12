"""Where methods come from, as several operations cite it."""

ACHANTA = (
    "Achanta R and others (2012). SLIC superpixels compared to state-of-the-art superpixel "
    "methods. IEEE Transactions on Pattern Analysis and Machine Intelligence 34(11), 2274-2282."
)
BEUCHER = (
    "Beucher S, Meyer F (1993). The morphological approach to segmentation: the watershed "
    "transformation. In: Mathematical Morphology in Image Processing, 433-481."
)
CANNY_1986 = (
    "Canny J (1986). A computational approach to edge detection. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 8(6), 679-698."
)
GONZALEZ_3 = (
    "Gonzalez RC, Woods RE (2018). Digital Image Processing, 4th edition, chapter 3. Pearson."
)
GONZALEZ_6 = (
    "Gonzalez RC, Woods RE (2018). Digital Image Processing, 4th edition, chapter 6. Pearson."
)
MARR = (
    "Marr D, Hildreth E (1980). Theory of edge detection. Proceedings of the Royal Society of "
    "London B 207(1167), 187-217."
)
ROSENFELD = (
    "Rosenfeld A, Pfaltz JL (1966). Sequential operations in digital picture processing. Journal "
    "of the ACM 13(4), 471-494."
)
SCIKIT_IMAGE = (
    "van der Walt S et al. (2014). scikit-image: image processing in Python. PeerJ 2, e453."
)
SERRA = "Serra J (1982). Image analysis and mathematical morphology. Academic Press."
SOILLE = "Soille P (2004). Morphological image analysis. 2nd edition, Springer, chapter 6."
SWAIN = (
    "Swain MJ, Ballard DH (1991). Color indexing. International Journal of Computer Vision 7(1), "
    "11-32."
)
