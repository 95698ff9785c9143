//! The programs as a person uses them, and the architecture they promise.

mod architecture;
mod system;
mod whole;
mod crash;
