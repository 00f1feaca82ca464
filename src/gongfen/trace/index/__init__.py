"""The index of a model's training works: built once, asked for every output. Display grade."""
