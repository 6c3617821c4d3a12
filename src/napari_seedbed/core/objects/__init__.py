"""Objects: finding, cleaning and measuring them."""
