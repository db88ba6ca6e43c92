# ---- The run

w_stack=${THOTH_AMUN_EXEC_DIR:-/home/amun}
w_script=${THOTH_AMUN_EXEC_FILE:-$w_stack/script}
w_result=${THOTH_OUTPUT_PATH-}
w_stdout_file=${THOTH_AMUN_STDOUT_PATH:-/home/amun/script.stdout}
w_stderr_file=${THOTH_AMUN_STDERR_PATH:-/home/amun/script.stderr}
w_place=${TMPDIR:-/tmp}
if [ -n "$w_result" ]; then
    case $w_result in /*) ;; *) w_result=$PWD/$w_result ;; esac
    w_place=${w_result%/*}
fi
w_hwinfo=${THOTH_AMUN_HWINFO_PATH:-${w_result:+$w_place/hwinfo}}
w_work=$w_place/.trimtab.$$
if ! mkdir -p "$w_work"; then
    echo "trimtab: the result cannot be written: there is no directory $w_place, and none can be made" >&2
    exit 73
fi
for w_tool in awk od dd tail tee wc mkfifo; do
    have "$w_tool" || { echo "trimtab: the image has neither a Python 3 nor $w_tool; install one of them" >&2; rm -rf "$w_work"; exit 73; }
done
w_timeout=${TRIMTAB_RUN_TIMEOUT-} w_grace=${TRIMTAB_RUN_GRACE:-5} w_limit=${TRIMTAB_OUTPUT_LIMIT:-1048576}
case $w_timeout in *[!0-9.]* | *.*.*) note "TRIMTAB_RUN_TIMEOUT is no number; it was ignored"; w_timeout= ;; esac
case $w_grace in *[!0-9.]* | *.*.*) note "TRIMTAB_RUN_GRACE is no number; it was ignored"; w_grace=5 ;; esac
case $w_limit in *[!0-9]*) note "TRIMTAB_OUTPUT_LIMIT is no number; it was ignored"; w_limit=1048576 ;; esac
[ ${#w_limit} -lt 8 ] && [ "$w_limit" -le 1048576 ] || w_limit=1048576
w_tail_size=$((w_limit / 2))
[ "$w_tail_size" -le 65536 ] || w_tail_size=65536
w_head_size=$(((w_limit - w_tail_size) / 4096 * 4096))
w_host=$(first_line /proc/sys/kernel/hostname)
w_mark=$(first_line /proc/sys/kernel/random/uuid)
w_mark=${w_mark:-$$}
find_group
w_python=$(stack_python) || w_python=
if [ -n "$w_hwinfo" ] && [ -f "$w_hwinfo" ] && is_json "$w_hwinfo"; then
    w_hwinfo_from=$w_hwinfo
    cat "$w_hwinfo" >"$w_work/hwinfo"
else
    w_hwinfo_from="the wrapper"
    { printf '{\n'; hardware; printf '\n}\n'; } >"$w_work/hwinfo"
    if [ -n "$w_hwinfo" ]; then
        { mkdir -p "${w_hwinfo%/*}" && cat "$w_work/hwinfo" >"$w_work/leave" && mv "$w_work/leave" "$w_hwinfo"; } 2>/dev/null ||
            note "$w_hwinfo cannot be written"
    fi
fi
w_sha256=$(sha256sum <"$w_script" 2>/dev/null)
w_sha256=${w_sha256%% *}
os_release >"$w_work/os_release"
w_os_id=$(release_value ID) w_os_version=$(release_value VERSION_ID)
w_error= w_exit_code= w_program=
choose
for w_file in "$w_stdout_file" "$w_stderr_file"; do
    if ! (: >"$w_file") 2>/dev/null; then
        note "$w_file cannot be written"
        [ "$w_file" = "$w_stdout_file" ] && w_stdout_file=$w_work/stdout || w_stderr_file=$w_work/stderr
    fi
done
counters
w_before_oom=$w_oom_kills w_before_periods=$w_periods w_before_throttled_periods=$w_throttled_periods w_before_throttled=$w_throttled w_before_busy=$w_busy
w_before_cpu=$w_cpu_stall w_before_memory=$w_memory_stall w_before_io=$w_io_stall
w_before_cpu_full=$w_cpu_full w_before_memory_full=$w_memory_full w_before_io_full=$w_io_full
[ -z "$w_came" ] || [ -n "$w_error" ] || cannot "-$w_came" "the wrapper was asked to end before the script began"
# Some room on the disk, for a script can also fill that.
dd if=/dev/zero of="$w_work/room" bs=65536 count=16 2>/dev/null
w_began=$(moment) w_began_at=$(uptime_now) w_timed_out=false w_status= w_killer= w_timer= w_left=0
if [ -z "$w_error" ]; then
    mkfifo "$w_work/out" "$w_work/err"
    keep "$w_stdout_file" "$w_work/o" <"$w_work/out" &
    w_reader_out=$!
    keep "$w_stderr_file" "$w_work/e" <"$w_work/err" &
    w_reader_err=$!
    times >"$w_work/times_before"
    (
        trap - TERM INT HUP
        export TRIMTAB_RUN_MARK="$w_mark"
        if [ -n "$w_python" ]; then
            unset PYTHONHOME
            export VIRTUAL_ENV="${w_python%/bin/*}" PATH="${w_python%/*}:$PATH"
        fi
        exec </dev/null >"$w_work/out" 2>"$w_work/err"
        set -- "$w_program"
        [ -z "$w_argument" ] || set -- "$@" "$w_argument"
        [ "$w_program" = "$w_script" ] || set -- "$@" "$w_script"
        { IFS= read -r w_now </proc/self/oom_score_adj && [ "$w_now" -le 900 ] && echo $((w_now + 100)) >/proc/self/oom_score_adj; } 2>/dev/null
        have setsid && exec setsid "$@"
        exec "$@"
    ) &
    w_pid=$!
    [ -z "$w_came" ] || ask_to_end TERM
    if [ -n "$w_timeout" ]; then
        (doze "$w_timeout"; : >"$w_work/timed_out"; signal_all TERM; signal_all CONT; doze "$w_grace"; kill_all) </dev/null >/dev/null 2>&1 &
        w_timer=$!
    fi
    while :; do
        wait "$w_pid"
        w_status=$?
        kill -0 "$w_pid" 2>/dev/null || break # otherwise it was a signal that ended the waiting
    done
    if [ -n "$w_came" ]; then # the signal's status may have come before the script's
        wait "$w_pid" 2>/dev/null
        w_again=$?
        [ "$w_again" -eq 127 ] || w_status=$w_again
    fi
    times >"$w_work/times"
    w_ended_at=$(uptime_now) w_ended=$(moment)
    [ ! -e "$w_work/timed_out" ] || w_timed_out=true
    rm -f "$w_work/room"
    end_others
    (doze 2; kill "$w_reader_out" "$w_reader_err") </dev/null >/dev/null 2>&1 &
    w_reaper=$!
    wait "$w_reader_out" "$w_reader_err"
    kill $w_timer $w_killer "$w_reaper" 2>/dev/null
else
    : >"$w_stdout_file"
    printf '[trimtab] the script could not be started: %s\n' "$w_error" >"$w_stderr_file"
    w_ended_at=$w_began_at w_ended=$w_began
fi
counters

