"""Widgets, settings and jobs on other threads that know no layers."""
