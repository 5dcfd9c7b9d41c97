"""The recipe of the default model: its data, its training, its export."""
