//! Kea's configuration dialect: from text with positions to a model that cannot be invalid.
