//! Configures the linker for a Node addon.
fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Redirects sled's calls of `sync_file_range` to `src/store/sled/database/sync_file_range.rs`.
        println!("cargo:rustc-link-arg-cdylib=-Wl,--wrap=sync_file_range");
        // sled's threads run until the process ends, so the addon must stay loaded when the thread that loaded it ends.
        println!("cargo:rustc-link-arg-cdylib=-Wl,-z,nodelete");
    }
}
