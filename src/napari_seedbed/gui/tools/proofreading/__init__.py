"""Proofread: the panel."""
