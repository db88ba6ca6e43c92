# ---- The control group

find_group() {
    w_group_version= w_memory_group= w_cpu_group= w_pids_group= w_pressure_group=
    while IFS=: read -r _ w_names w_path; do
        case $w_names in
        '') for w_base in /sys/fs/cgroup /sys/fs/cgroup/unified; do
                [ -r "$w_base/cgroup.procs" ] && w_pressure_group=$(group_in "$w_base" "$w_path") && break
            done ;;
        memory) w_group_version=1 w_memory_group=$(group_in /sys/fs/cgroup/memory "$w_path") ;;
        *pids*) w_pids_group=$(group_in /sys/fs/cgroup/pids "$w_path") ;;
        *) case ,$w_names, in *,cpu,*) w_cpu_group=$(group_in "/sys/fs/cgroup/$w_names" "$w_path" || group_in /sys/fs/cgroup/cpu "$w_path") ;; esac ;;
        esac
    done 2>/dev/null </proc/self/cgroup
    if [ -z "$w_group_version" ] && [ -n "$w_pressure_group" ]; then
        w_group_version=2 w_memory_group=$w_pressure_group w_cpu_group=$w_pressure_group w_pids_group=$w_pressure_group
    fi
}
group_in() { if [ -d "$1$2" ]; then printf %s "$1${2%/}"; elif [ -d "$1" ]; then printf %s "$1"; else return 1; fi; }

memory_limit() {
    w_value=$(first_line "$w_memory_group/memory.max")
    w_value=${w_value:-$(first_line "$w_memory_group/memory.limit_in_bytes")}
    if [ ${#w_value} -gt 18 ]; then printf null; else number "$w_value"; fi
}
memory_peak() { w_value=$(first_line "$w_memory_group/memory.peak"); printf %s "${w_value:-$(first_line "$w_memory_group/memory.max_usage_in_bytes")}"; }
quota() {
    w_value=$(first_line "$w_cpu_group/cpu.max")
    w_value=${w_value:-$(first_line "$w_cpu_group/cpu.cfs_quota_us") $(first_line "$w_cpu_group/cpu.cfs_period_us")}
    printf '%s\n' "$w_value" | LC_ALL=C awk '{ if ($1 ~ /^[0-9]+$/ && $2 > 0) printf "%.6g", $1 / $2; else printf "null" }'
}
# The value of a name in a file of names and values.
field() { [ -r "$1" ] && LC_ALL=C awk -v name="$2" '$1 == name { print $2; exit }' "$1"; }
counters() {
    w_oom_kills=$(field "$w_memory_group/memory.events" oom_kill); w_oom_kills=${w_oom_kills:-$(field "$w_memory_group/memory.oom_control" oom_kill)}
    w_periods=$(field "$w_cpu_group/cpu.stat" nr_periods) w_throttled_periods=$(field "$w_cpu_group/cpu.stat" nr_throttled)
    w_throttled=$(field "$w_cpu_group/cpu.stat" throttled_usec)
    [ -n "$w_throttled" ] || { w_throttled=$(field "$w_cpu_group/cpu.stat" throttled_time); w_throttled=${w_throttled:+$((w_throttled / 1000))}; }
    w_busy=$(field "$w_cpu_group/cpu.stat" usage_usec)
    for w_resource in cpu memory io; do
        w_file=$w_pressure_group/$w_resource.pressure
        [ -r "$w_file" ] || w_file=/proc/pressure/$w_resource
        eval "w_${w_resource}_stall=\$([ -r \"\$w_file\" ] && sed -n 's/^some .*total=//p' \"\$w_file\" 2>/dev/null)"
        eval "w_${w_resource}_full=\$([ -r \"\$w_file\" ] && sed -n 's/^full .*total=//p' \"\$w_file\" 2>/dev/null)"
    done
}
seconds() { case $1 in null) printf null ;; *) printf '%s\n' "$1" | LC_ALL=C awk '{ printf "%.6f", $1 / 1000000 }' ;; esac; }
stall() { printf '{"some": %s, "full": %s}' "$(seconds "$(less "$2" "$1")")" "$(seconds "$(less "$4" "$3")")"; }

