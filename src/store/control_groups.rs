//! Control groups of Linux, as far as they limit the memory of this process.
//!
//! The group of the process and every group around it may set a limit. In a container, its own group is the outermost
//! one that can be seen.

use std::fs;
use std::path::{Path, PathBuf};

/// Where Linux shows the groups, and those of the first version that limit memory.
const GROUPS: &str = "/sys/fs/cgroup";
const FIRST_VERSION: &str = "memory";

/// A limit of a group, and the memory that its processes use, in bytes.
#[derive(Debug, PartialEq)]
pub struct MemoryLimit {
    /// With the second version, the lower one of `memory.max`, and `memory.high`, over which Linux slows the processes
    /// down.
    pub bytes: u64,
    /// `None` if the system does not tell.
    pub used: Option<u64>,
}

/// Returns the limits of the group of this process and of those around it. A group without a limit is left out.
pub fn memory_limits() -> Vec<MemoryLimit> {
    let of_process = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limits(&of_process, Path::new(GROUPS))
}

/// Returns the lowest limit in bytes, or `None` if no group sets one.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    memory_limits().iter().map(|limit| limit.bytes).min()
}

/// `of_process` is the text of `/proc/self/cgroup`, with a line for each hierarchy: `number:controllers:group`.
fn limits(of_process: &str, root: &Path) -> Vec<MemoryLimit> {
    of_process.lines().filter_map(|line| limits_of(line, root)).flatten().collect()
}

/// Returns the limits of the group that `line` names and of those around it, or `None` if they do not limit memory.
fn limits_of(line: &str, root: &Path) -> Option<Vec<MemoryLimit>> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, group) = (fields.next()?, fields.next()?);
    let (root, limits, used): (PathBuf, &[&str], _) = match controllers {
        "" => (root.into(), &["memory.max", "memory.high"], "memory.current"),
        _ if controllers.split(',').any(|name| name == "memory") => {
            (root.join(FIRST_VERSION), &["memory.limit_in_bytes"], "memory.usage_in_bytes")
        }
        _ => return None,
    };
    let folder = root.join(group.trim_start_matches('/'));
    let within = folder.ancestors().take_while(|folder| folder.starts_with(&root));
    let limits = within.filter_map(|folder| {
        // A group without a limit says "max", or a number that is larger than any memory.
        let read = |name: &&str| -> Option<u64> {
            fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok()
        };
        Some(MemoryLimit { bytes: limits.iter().filter_map(read).min()?, used: read(&used) })
    });
    Some(limits.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNLIMITED: u64 = 9_223_372_036_854_771_712;

    /// Returns a folder with these files.
    fn groups(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn limit(bytes: u64, used: u64) -> MemoryLimit {
        MemoryLimit { bytes, used: Some(used) }
    }

    #[test]
    fn in_the_second_version_the_lower_limit_counts_and_those_of_parents_as_well() {
        let root = groups(&[
            ("memory.current", "9\n"),
            ("a/memory.max", "500\n"),
            ("a/memory.high", "max\n"),
            ("a/memory.current", "7\n"),
            ("a/b/memory.max", "max\n"),
            ("a/b/memory.high", "max\n"),
            ("a/b/memory.current", "5\n"),
            ("a/b/c/memory.max", "900\n"),
            ("a/b/c/memory.high", "800\n"),
            ("a/b/c/memory.current", "3\n"),
            ("other/memory.max", "1\n"),
        ]);
        assert_eq!(limits("0::/a/b/c\n", root.path()), [limit(800, 3), limit(500, 7)]);
        assert_eq!(limits("0::/a/b\n", root.path()), [limit(500, 7)]);
        assert_eq!(limits("0::/\n", root.path()), []);
    }

    #[test]
    fn in_a_container_the_root_has_its_limit_under_whatever_name_the_group_has_outside() {
        let root = groups(&[("memory.max", "500\n"), ("memory.high", "max\n")]);
        let expected = [MemoryLimit { bytes: 500, used: None }];
        assert_eq!(limits("0::/\n", root.path()), expected);
        assert_eq!(limits("0::/of the host/container\n", root.path()), expected);
        assert_eq!(limits("0::/../elsewhere\n", root.path()), expected);
    }

    #[test]
    fn in_the_first_version_the_line_of_memory_counts() {
        let unlimited = UNLIMITED.to_string();
        let root = groups(&[
            ("memory/memory.limit_in_bytes", unlimited.as_str()),
            ("memory/memory.usage_in_bytes", "9\n"),
            ("memory/a/memory.limit_in_bytes", "500\n"),
            ("memory/a/memory.usage_in_bytes", "7\n"),
            ("cpu/a/memory.limit_in_bytes", "1\n"),
        ]);
        let text = "3:cpu,cpuacct:/a\n2:hugetlb,memory:/a\n1:name=systemd:/a:b\n0::/a\n";
        assert_eq!(limits(text, root.path()), [limit(500, 7), limit(UNLIMITED, 9)]);
    }

    #[test]
    fn other_texts_set_no_limit() {
        let root = groups(&[("memory.max", "many\n"), ("a/memory.max", "-1\n")]);
        for text in ["", "0", "0:", "0::", "::/a", "0:memory", "\n\n", "0::/a\n"] {
            assert_eq!(limits(text, root.path()), [], "{text}");
        }
    }
}
