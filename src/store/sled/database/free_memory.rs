//! Memory that nobody uses: of the machine, and of the control groups that limit this process.

use std::fs;
use std::path::Path;

/// Part of the machine's memory, and of each limit, that stays free.
const RESERVE: u64 = 16;
/// Where Linux shows control groups, and those of the first version that limit memory.
const GROUPS: &str = "/sys/fs/cgroup";
const FIRST_VERSION: &str = "/sys/fs/cgroup/memory";

/// Returns whether `bytes` fit into free memory, and a reserve stays free. If the system cannot tell, they do not.
pub fn is_for(bytes: u64) -> bool {
    let machine = fs::read_to_string("/proc/meminfo").is_ok_and(|text| fits(&text, bytes));
    machine && groups_have(bytes)
}

/// `text` is that of `/proc/meminfo`.
fn fits(text: &str, bytes: u64) -> bool {
    let find = |name: &str| -> Option<u64> {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    match (find("MemTotal:"), find("MemFree:")) {
        (Some(total), Some(free)) => free >= bytes.saturating_add(total / RESERVE),
        _ => false,
    }
}

/// Looks at the group of this process and at those around it. In a container, its own is the outermost one. A group
/// without files, or without a limit, sets none.
fn groups_have(bytes: u64) -> bool {
    let of_process = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    of_process.lines().all(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else {
            return true;
        };
        let (root, limit, used) = match controllers {
            "" => (Path::new(GROUPS), "memory.max", "memory.current"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (Path::new(FIRST_VERSION), "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => return true,
        };
        let folder = root.join(group.trim_start_matches('/'));
        folder.ancestors().take_while(|folder| folder.starts_with(root)).all(|folder| {
            let read = |name| fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok();
            match (read(limit), read(used)) {
                (Some(limit), Some(used)) => is_below(limit, used, bytes),
                _ => true,
            }
        })
    })
}

fn is_below(limit: u64, used: u64, bytes: u64) -> bool {
    used.saturating_add(bytes) <= limit - limit / RESERVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sixteenth_of_the_memory_stays_free() {
        let text = "MemTotal:      16000 kB\nMemFree:        3000 kB\nMemAvailable:   7000 kB\n";
        assert!(fits(text, 2000 << 10));
        assert!(!fits(text, 2001 << 10));
        assert!(!fits("", 0));
        assert!(is_below(1600, 100, 1400));
        assert!(!is_below(1600, 100, 1401));
    }

    #[test]
    fn no_system_has_memory_without_end() {
        assert!(!is_for(u64::MAX));
    }
}
