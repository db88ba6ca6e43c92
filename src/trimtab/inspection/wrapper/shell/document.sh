# ---- The document

w_signal=null
if [ -z "$w_error" ]; then
    w_exit_code=$w_status
    if [ "$w_status" -gt 128 ]; then
        # A shell is told 137 of both an exit with 137 and a kill by signal 9; a signal of ours decides it.
        if [ "$w_timed_out" = true ] || [ -n "$w_came" ] ||
            { [ "$w_status" -eq 137 ] && [ "$(less "$w_oom_kills" "$w_before_oom")" -gt 0 ] 2>/dev/null; }; then
            w_exit_code=$((128 - w_status)) w_signal=$((w_status - 128))
        else
            note "a shell cannot tell an exit with $w_status from an end by signal $((w_status - 128))"
        fi
    fi
elif [ "$w_exit_code" -lt 0 ]; then
    w_signal=${w_exit_code#-}
fi
collect "$w_stdout_file" "$w_work/o"
w_out_seen=$w_seen w_out_cut=$w_truncated
collect "$w_stderr_file" "$w_work/e"
w_err_seen=$w_seen w_err_cut=$w_truncated
encode <"$w_stdout_file" >"$w_work/stdout.json"
w_out_kind=$?
encode <"$w_stderr_file" >"$w_work/stderr.json"
w_err_kind=$?
exact() {
    case $1 in 11 | 13) if have base64; then printf '"%s"' "$(base64 <"$2" | tr -d '\n')"; else printf null; fi ;; *) printf null ;; esac
}
usage() {
    [ -s "$w_work/times" ] || { printf '"ru_utime": 0, "ru_stime": 0'; return; }
    LC_ALL=C awk '
    function s(t) { split(t, part, /[ms]/); return part[1] * 60 + part[2] }
    FNR == 2 { u[FILENAME] = s($1); k[FILENAME] = s($2); last = FILENAME; if (first == "") first = FILENAME }
    END { printf "\"ru_utime\": %.6f, \"ru_stime\": %.6f", u[last] - u[first], k[last] - k[first] }' "$w_work/times_before" "$w_work/times"
}
packages() {
    for w_d in "${w_python%/bin/*}"/lib*/python3*/site-packages/*.dist-info; do [ -d "$w_d" ] && printf '%s\n' "${w_d##*/}"; done | LC_ALL=C awk '
    { sub(/\.dist-info$/, ""); i = index($0, "-"); if (!i) next; name = tolower(substr($0, 1, i - 1)); gsub(/[-_.]+/, "-", name)
      version = substr($0, i + 1); if (name version ~ /[^-A-Za-z0-9.+!_]/) next
      printf "%s\n    {\"name\": \"%s\", \"version\": \"%s\"}", (n++ ? "," : ""), name, version }'
}
python_minor() { [ -r "${w_python%/bin/*}/pyvenv.cfg" ] && sed -n 's/^version[_info]* *= *\([0-9]*\.[0-9]*\).*/\1/p' "${w_python%/bin/*}/pyvenv.cfg"; }
standard_output() {
    if [ ! -s "$w_stdout_file" ]; then
        printf '  "stdout": {},\n  "stdout_raw": "",\n'
        return
    fi
    # Spliced as it is: a value needs no more than to stand where a value stands.
    if [ "$w_out_kind" -eq 0 ] && [ "$w_out_cut" = false ]; then
        is_json "$w_stdout_file"
        case $? in
        0) printf '  "stdout": '; cat "$w_stdout_file"; printf ',\n  "stdout_raw": '; cat "$w_work/stdout.json"; printf ',\n'; return ;;
        2) printf '  "stdout": {},\n  "stdout_raw": '; cat "$w_work/stdout.json"; printf ',\n'; return ;;
        esac
    fi
    printf '  "stdout": '; cat "$w_work/stdout.json"; printf ',\n  "stdout_raw": null,\n'
}
member() { printf '  "%s": %s,\n' "$1" "$2"; }
document() {
    printf '{\n'
    printf '  "cgroup": {\n    "alone": null,\n    "version": %s,\n' "${w_group_version:-null}"
    printf '    "memory": {"limit": %s, "peak": %s, "oom_kills": %s},\n' "$(memory_limit)" "$(number "$(memory_peak)")" "$(less "$w_oom_kills" "$w_before_oom")"
    printf '    "cpu": {"quota": %s, "usage": %s, "periods": %s, "throttled_periods": %s, "throttled": %s},\n' "$(quota)" \
        "$(seconds "$(less "$w_busy" "$w_before_busy")")" "$(less "$w_periods" "$w_before_periods")" \
        "$(less "$w_throttled_periods" "$w_before_throttled_periods")" "$(seconds "$(less "$w_throttled" "$w_before_throttled")")"
    printf '    "pids": {"limit": %s}\n  },\n' "$(number "$(first_line "$w_pids_group/pids.max")")"
    member duration "$(printf '%s %s\n' "$w_began_at" "$w_ended_at" | LC_ALL=C awk '{ printf "%.2f", $2 - $1 }')"
    member end_datetime "\"$w_ended\""
    member error "$(text_or_null "$w_error")"
    member exit_code "$w_exit_code"
    member hostname "$(quote "$w_host")"
    printf '  "hwinfo": '; cat "$w_work/hwinfo"; printf ',\n'
    if [ -n "$w_program" ] && [ -z "$w_error" ]; then
        printf '  "interpreter": {"path": %s, "resolved": %s, "arguments": [%s], "reason": %s, "shebang": %s, "version": null},\n' \
            "$(quote "$w_program")" "$(quote "$(readlink -f "$w_program" 2>/dev/null || printf %s "$w_program")")" \
            "$([ -z "$w_argument" ] || quote "$w_argument")" "$(quote "$w_reason")" "$(text_or_null "$w_shebang")"
    else
        member interpreter null
    fi
    member interrupted_by "${w_came:-null}"
    member left_processes "$w_left"
    printf '  "notes": [%s],\n' "$w_notes"
    printf '  "os_release": '; cat "$w_work/os_release"; printf ',\n'
    printf '  "packages": [%s],\n' "$([ -z "$w_python" ] || packages)"
    printf '  "pressure": {"cpu": %s, "io": %s, "memory": %s},\n' "$(stall "$w_before_cpu" "$w_cpu_stall" "$w_before_cpu_full" "$w_cpu_full")" \
        "$(stall "$w_before_io" "$w_io_stall" "$w_before_io_full" "$w_io_full")" "$(stall "$w_before_memory" "$w_memory_stall" "$w_before_memory_full" "$w_memory_full")"
    printf '  "provenance": {"usage": "times of the shell: CPU time alone, helpers of the wrapper may be in it", "duration": "/proc/uptime, in hundredths", '
    printf '"hwinfo": %s, "cgroup.memory.peak": %s, "cgroup.cpu": %s, "packages": %s},\n' "$(quote "$w_hwinfo_from")" \
        "$(quote "$w_memory_group")" "$(quote "$w_cpu_group")" "$([ -n "$w_python" ] && quote "${w_python%/bin/*}" || printf '"there is no Python"')"
    w_family=$(LC_ALL=C awk -F: '/^cpu family/ { printf "%d", $2; exit }' /proc/cpuinfo) w_model=$(LC_ALL=C awk -F: '/^model[ \t]*:/ { printf "%d", $2; exit }' /proc/cpuinfo)
    printf '  "runtime_environment": {"cuda_version": %s, "hardware": {"cpu_family": %s, "cpu_model": %s}, ' "$(text_or_null "${CUDA_VERSION-}")" "$(number "$w_family")" "$(number "$w_model")"
    printf '"operating_system": {"name": %s, "version": %s}, "python_version": %s},\n' "$(text_or_null "$w_os_id")" "$(text_or_null "$w_os_version")" "$(text_or_null "$(python_minor)")"
    member script_sha256 "$(text_or_null "$w_sha256")"
    member signal "$w_signal"
    member start_datetime "\"$w_began\""
    printf '  "stderr": '; cat "$w_work/stderr.json"; printf ',\n'
    member stderr_base64 "$(exact "$w_err_kind" "$w_stderr_file")"
    member stderr_bytes "$w_err_seen"
    member stderr_truncated "$w_err_cut"
    standard_output
    member stdout_base64 "$(exact "$w_out_kind" "$w_stdout_file")"
    member stdout_bytes "$w_out_seen"
    member stdout_truncated "$w_out_cut"
    member timed_out "$w_timed_out"
    member timeout "${w_timeout:-null}"
    printf '  "usage": {%s' "$(usage)"
    for w_name in maxrss ixrss idrss isrss minflt majflt nswap inblock oublock msgsnd msgrcv nsignals nvcsw nivcsw; do printf ', "ru_%s": null' "$w_name"; done
    printf '},\n  "wrapper": {"name": "sh", "version": 1, "first_process": %s, "hidden": false, "adopts_orphans": false, "output_limit": %s}' \
        "$([ $$ = 1 ] && echo true || echo false)" "$w_limit"
}
document >"$w_work/document"
if [ -n "$w_secret" ] && have sha256sum; then
    w_inner=$(sha256sum <"$w_work/document")
    w_proof=$(printf %s "$w_secret:${w_inner%% *}:$w_secret" | sha256sum)
    printf ',\n  "proof": "%s"\n}\n' "${w_proof%% *}" >>"$w_work/document"
else
    printf ',\n  "proof": null\n}\n' >>"$w_work/document"
fi
w_code=0
rm -f "$w_work/room"
if [ "$(tail -c 2 "$w_work/document")" != "}" ]; then
    echo "trimtab: the result cannot be written to $w_place: there is no space left" >&2
    w_code=73
elif [ -z "$w_result" ]; then
    cat "$w_work/document"
else
    [ ! -d "$w_result" ] || mv "$w_result" "$w_result.in-the-way-$w_mark"
    mv -f "$w_work/document" "$w_result" || { echo "trimtab: the result cannot be written to $w_result" >&2; w_code=73; }
fi
rm -rf "$w_work"
[ "$w_code" -ne 0 ] || w_code=$(((w_exit_code + 256) % 256))

