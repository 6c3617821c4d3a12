"""Pixel classification: features at several scales and a forest that learns from seeds."""
