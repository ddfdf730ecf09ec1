//! Texts of real machines, shortened to the lines that matter: version 1 in a container and nested on a host, version 2 in
//! a container and under systemd, both at once, with and without limits.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::*;

/// A machine's files.
struct Machine {
    cgroup: &'static str,
    mountinfo: &'static str,
    files: HashMap<PathBuf, &'static str>,
}

impl Machine {
    fn new(cgroup: &'static str, mountinfo: &'static str, files: &[(&str, &'static str)]) -> Self {
        Self {
            cgroup,
            mountinfo,
            files: files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect(),
        }
    }

    fn layout(&self) -> Layout {
        layout(self.cgroup, self.mountinfo)
    }

    fn read(&self) -> Container {
        read(&self.layout(), &|path: &Path| {
            self.files.get(path).map(|text| (*text).to_owned())
        })
    }
}

const V1_MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

/// Kubernetes on version 1 without a cgroup namespace: the container sees its host path, its own part is mounted.
fn v1_container() -> Machine {
    Machine::new(
        "11:memory:/kubepods/burstable/pod3f/5d1f\n4:cpu,cpuacct:/kubepods/burstable/pod3f/5d1f\n1:name=systemd:/kubepods/burstable/pod3f/5d1f\n0::/\n",
        "\
1207 1206 0:30 /kubepods/burstable/pod3f/5d1f /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime master:11 - cgroup cgroup rw,cpu,cpuacct
1211 1206 0:34 /kubepods/burstable/pod3f/5d1f /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:15 - cgroup cgroup rw,memory
",
        &[
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "52428800\n"),
            (
                "/sys/fs/cgroup/memory/memory.stat",
                "cache 20971520\nrss 31457280\ninactive_file 4096\ntotal_inactive_file 10485760\n",
            ),
            (
                "/sys/fs/cgroup/memory/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
            ),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
            ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            (
                "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
                "nr_periods 1200\nnr_throttled 37\nthrottled_time 1850000000\nnr_bursts 0\nburst_time 0\n",
            ),
        ],
    )
}

/// A container runtime on version 2 with a cgroup namespace: everything is `/`.
fn v2_container() -> Machine {
    Machine::new(
        "0::/\n",
        "650 640 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot\n",
        &[
            ("/sys/fs/cgroup/memory.max", "268435456\n"),
            ("/sys/fs/cgroup/memory.current", "104857600\n"),
            (
                "/sys/fs/cgroup/memory.stat",
                "anon 73400320\nfile 31457280\nkernel 1024\ninactive_anon 0\nactive_file 10485760\ninactive_file 20971520\n",
            ),
            (
                "/sys/fs/cgroup/memory.events",
                "low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 0\n",
            ),
            ("/sys/fs/cgroup/cpu.max", "150000 100000\n"),
            (
                "/sys/fs/cgroup/cpu.stat",
                "usage_usec 8000000\nuser_usec 6000000\nsystem_usec 2000000\nnr_periods 400\nnr_throttled 10\nthrottled_usec 250000\nnr_bursts 0\nburst_usec 0\n",
            ),
        ],
    )
}

#[test]
fn version_1_in_a_container_gives_every_figure() {
    let container = v1_container().read();
    assert_eq!(
        container,
        Container {
            memory_limit_bytes: Some(134_217_728),
            memory_usage_bytes: Some(52_428_800),
            memory_reclaimable_bytes: Some(10_485_760),
            cpu_quota_cores: Some(0.5),
            cpu_periods: Some(1_200),
            cpu_throttled_periods: Some(37),
            cpu_throttled_seconds: Some(1.85),
            oom_kills: Some(3),
        }
    );
    assert_eq!(container.working_set_bytes(), Some(41_943_040));
}

#[test]
fn version_2_in_a_container_gives_every_figure() {
    assert_eq!(
        v2_container().read(),
        Container {
            memory_limit_bytes: Some(268_435_456),
            memory_usage_bytes: Some(104_857_600),
            memory_reclaimable_bytes: Some(20_971_520),
            cpu_quota_cores: Some(1.5),
            cpu_periods: Some(400),
            cpu_throttled_periods: Some(10),
            cpu_throttled_seconds: Some(0.25),
            oom_kills: Some(2),
        }
    );
}

#[test]
fn a_missing_limit_is_distinguished_from_a_limit_in_both_versions() {
    let mut v1 = v1_container();
    v1.files.insert(
        "/sys/fs/cgroup/memory/memory.limit_in_bytes".into(),
        "9223372036854771712\n",
    );
    v1.files
        .insert("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us".into(), "-1\n");
    let mut v2 = v2_container();
    v2.files.insert("/sys/fs/cgroup/memory.max".into(), "max\n");
    v2.files.insert("/sys/fs/cgroup/cpu.max".into(), "max 100000\n");
    for machine in [v1, v2] {
        let container = machine.read();
        assert_eq!(container.memory_limit_bytes, None);
        assert_eq!(container.cpu_quota_cores, None);
        assert!(container.memory_usage_bytes.is_some(), "usage is known all the same");
        assert!(container.cpu_periods.is_some());
    }
}

#[test]
fn a_limit_further_up_is_in_force_and_usage_is_read_where_it_is() {
    // A service under systemd: the slice has the limit, the service has none.
    let machine = Machine::new(
        "0::/system.slice/shop.slice/orders.service\n",
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
        &[
            (
                "/sys/fs/cgroup/system.slice/shop.slice/orders.service/memory.max",
                "max\n",
            ),
            (
                "/sys/fs/cgroup/system.slice/shop.slice/orders.service/memory.current",
                "10\n",
            ),
            ("/sys/fs/cgroup/system.slice/shop.slice/memory.max", "1000\n"),
            ("/sys/fs/cgroup/system.slice/shop.slice/memory.current", "900\n"),
            ("/sys/fs/cgroup/system.slice/memory.max", "5000\n"),
            (
                "/sys/fs/cgroup/system.slice/shop.slice/orders.service/cpu.max",
                "200000 100000\n",
            ),
            ("/sys/fs/cgroup/system.slice/shop.slice/cpu.max", "100000 100000\n"),
        ],
    );
    let container = machine.read();
    assert_eq!(container.memory_limit_bytes, Some(1_000));
    assert_eq!(container.memory_usage_bytes, Some(900));
    assert_eq!(container.cpu_quota_cores, Some(1.0));
}

#[test]
fn where_both_versions_are_mounted_the_controller_is_version_1s() {
    // This very machine: `0::/` is there too, but its hierarchy has no controllers.
    let machine = Machine::new(
        "9:name=systemd:/\n4:memory:/jobs/17\n1:cpu,cpuacct:/\n0::/\n",
        V1_MOUNTS,
        &[
            (
                "/sys/fs/cgroup/memory/jobs/17/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "4096\n"),
            ("/sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", "1024\n"),
        ],
    );
    let (version, levels) = machine.layout().memory.unwrap();
    assert_eq!(version, Version::One);
    assert_eq!(
        levels,
        ["jobs/17", "jobs", ""].map(|part| Path::new("/sys/fs/cgroup/memory").join(part))
    );
    assert_eq!(machine.layout().cpu.unwrap().0, Version::One);
    assert_eq!(machine.read().memory_limit_bytes, Some(4_096));
    assert_eq!(machine.read().memory_usage_bytes, Some(1_024));
}

#[test]
fn in_a_hybrid_machine_what_version_1_lacks_comes_from_version_2() {
    let machine = Machine::new(
        "5:memory:/a\n0::/b\n",
        "1 0 0:1 / /m rw - cgroup cgroup rw,memory\n2 0 0:2 / /u rw - cgroup2 cgroup2 rw\n",
        &[("/u/b/cpu.max", "25000 100000\n")],
    );
    assert_eq!(machine.layout().memory.unwrap().0, Version::One);
    assert_eq!(machine.layout().cpu.unwrap().0, Version::Two);
    assert_eq!(machine.read().cpu_quota_cores, Some(0.25));
}

#[test]
fn a_path_outside_of_what_is_mounted_leaves_the_mounts_own_directory() {
    // A process that was moved into a namespace later sees its path as `/../…`.
    let moved = Machine::new(
        "0::/../../other\n",
        "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n",
        &[("/sys/fs/cgroup/memory.max", "77\n")],
    );
    assert_eq!(moved.read().memory_limit_bytes, Some(77));
    let elsewhere = Machine::new(
        "3:memory:/docker/abc/nested\n",
        "1 0 0:1 /docker/xyz /sys/fs/cgroup/memory rw - cgroup c rw,memory\n",
        &[("/sys/fs/cgroup/memory/memory.limit_in_bytes", "88\n")],
    );
    assert_eq!(elsewhere.read().memory_limit_bytes, Some(88));
}

#[test]
fn a_nested_cgroup_of_a_container_without_a_namespace_is_found_below_its_mount() {
    let machine = Machine::new(
        "3:memory:/docker/abc/nested\n",
        "1 0 0:1 /docker/abc /sys/fs/cgroup/memory\\040here rw - cgroup c rw,memory\n",
        &[],
    );
    let (_, levels) = machine.layout().memory.unwrap();
    assert_eq!(
        levels,
        [
            PathBuf::from("/sys/fs/cgroup/memory here/nested"),
            PathBuf::from("/sys/fs/cgroup/memory here/")
        ]
    );
}

#[test]
fn missing_or_unreadable_cgroup_files_give_no_figures_and_no_panic() {
    let none = Machine::new("", "", &[]);
    assert_eq!(none.layout(), Layout::default());
    assert_eq!(none.read(), Container::default());
    let mut broken = v2_container();
    for text in broken.files.values_mut() {
        *text = "-7 what\n\n0 0";
    }
    assert_eq!(broken.read(), Container::default());
}
