//! What a child does to itself before it touches the document: resource limits, no files
//! (Landlock), no system calls but the few it needs (seccomp), death with its parent.
//!
//! Deliberately absent: a parser child cannot open anything at all (its input is standard input),
//! cannot start programs or threads, and has no network. A tool child (tesseract, pdftotext) reads
//! only system folders and its own data, runs only itself, and has no network.

use crate::request::ChildLimits;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{
    Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The newest Landlock this was written against (Linux 6.12); older kernels enforce what they
/// have.
const LANDLOCK: ABI = ABI::V6;
/// Descriptors of a child: its three pipes, an unpacked file, and some for a tool's data.
const DESCRIPTORS: u64 = 64;

/// Folders whose libraries, fonts and data a tool may read.
const SYSTEM_FOLDERS: [&str; 9] = [
    "/usr",
    "/lib",
    "/lib64",
    "/opt",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/dev/null",
    "/dev/urandom",
];
/// Where a tool may execute from: its loader lives here. Only what a path below allows to be read
/// can be executed at all, and a tool cannot fork.
const LOADER_FOLDERS: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// Asks the kernel to kill this process when its parent ends, and ends it at once when that has
/// already happened.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = getppid().map(|pid| pid.as_raw_nonzero().get());
    if now.and_then(|pid| u32::try_from(pid).ok()) == Some(parent) {
        Ok(())
    } else {
        Err(io::Error::other("the parent has ended"))
    }
}

/// Sets the hard limits. None of them can be raised again by an ordinary user.
pub fn limit_resources(limits: &ChildLimits) -> io::Result<()> {
    let hard = |value| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::As, hard(limits.memory_bytes))?;
    // Soft before hard: the soft limit's signal (XCPU) says why the child died.
    let cpu = Rlimit {
        current: Some(limits.cpu_seconds),
        maximum: Some(limits.cpu_seconds.saturating_add(2)),
    };
    setrlimit(Resource::Cpu, cpu)?;
    setrlimit(Resource::Nofile, hard(DESCRIPTORS))?;
    setrlimit(Resource::Fsize, hard(limits.file_bytes))?;
    setrlimit(Resource::Core, hard(0))?;
    Ok(())
}

/// Which paths stay within reach.
#[derive(Clone, Copy, Debug)]
pub enum Files<'a> {
    /// None.
    Nothing,
    /// Creating and writing files in this folder.
    WriteIn(&'a Path),
    /// What a tool needs.
    Tool {
        /// The program itself.
        program: &'a Path,
        /// Its data.
        readable: &'a [PathBuf],
    },
}

/// Forbids all access to files but this, TCP, and signals to processes outside. False when the
/// kernel has no Landlock.
pub fn restrict_files(files: Files<'_>) -> Result<bool, landlock::RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?;
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    match files {
        Files::Nothing => {}
        Files::WriteIn(folder) => {
            let write = AccessFs::MakeReg | AccessFs::WriteFile | AccessFs::Truncate;
            ruleset = ruleset.add_rules(path_beneath_rules([folder], write))?;
        }
        Files::Tool { program, readable } => {
            let run = read | AccessFs::Execute;
            ruleset = ruleset
                .add_rules(path_beneath_rules(SYSTEM_FOLDERS, read))?
                .add_rules(path_beneath_rules(readable, read))?
                .add_rules(path_beneath_rules(LOADER_FOLDERS, run))?
                .add_rules(path_beneath_rules([program], run))?;
        }
    }
    Ok(ruleset.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// Which system calls stay within reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Reading, writing, memory, clocks and the end.
    Parser,
    /// The same and opening files (Landlock says where).
    Unpacker,
    /// Everything an ordinary single program needs; no network, no fork, no tracing, no mounts.
    Tool,
}

/// Forbids all other system calls, in all threads of the process: they fail with `EPERM`. Nothing
/// can take this back.
pub fn restrict_calls(calls: Calls) -> Result<(), seccompiler::Error> {
    match calls {
        Calls::Tool => {
            install(no_clone3())?;
            install(deny())
        }
        Calls::Parser => install(allow(&[])),
        Calls::Unpacker => install(allow(&[libc::SYS_openat])),
    }
}

fn install(
    filter: Result<BpfProgram, seccompiler::BackendError>,
) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter_all_threads(&filter?)
}

/// All that a parser needs once its input is open and its threads are started.
const PARSER_CALLS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

fn allow(more: &[i64]) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        PARSER_CALLS.iter().chain(more).map(|call| (*call, Vec::new())).collect();
    // A crash (abort) sends a signal to itself; nothing may send one to another process.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![argument(0, SeccompCmpOp::Eq, own)?]);
    compile(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// What no tool needs.
const TOOL_DENIED: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_open_tree,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_open_by_handle_at,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_personality,
    libc::SYS_memfd_create,
    libc::SYS_execveat,
];

fn deny() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        TOOL_DENIED.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_fork, Vec::new()), (libc::SYS_vfork, Vec::new())]);
    // Threads yes, processes no.
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![argument(0, SeccompCmpOp::MaskedEq(thread), 0)?]);
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32))
}

/// `clone3` hides its flags in memory; without it the C library falls back to `clone`.
fn no_clone3() -> Result<BpfProgram, seccompiler::BackendError> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))
}

fn argument(
    index: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(index, SeccompCmpArgLen::Qword, operator, value)?])
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, otherwise, matched, architecture)?.try_into()
}
