//! Settings in layers with their origin; edits that keep comments; atomic save.
