"""Fields, inputs, live previews and the parts that panels share."""
