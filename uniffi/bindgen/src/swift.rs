//! The generator for Swift: sources, header and module map, each by its own flag.

fn main() {
    uniffi::uniffi_bindgen_swift();
}
