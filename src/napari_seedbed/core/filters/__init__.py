"""Images for images: smoothing, edges, ridges, morphology."""
