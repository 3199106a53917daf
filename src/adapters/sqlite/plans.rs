//! Proof that the hot questions are index lookups, whatever the history's size.
