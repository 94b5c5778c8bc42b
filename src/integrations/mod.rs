//! What the console knows how to watch, one folder each.
