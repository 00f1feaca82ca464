"""Who made it, out of whose labour, what is it worth, who is owed what — and the proof."""
