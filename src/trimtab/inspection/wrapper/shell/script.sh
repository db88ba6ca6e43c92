# ---- The script

stack_python() { for w_p in "$w_stack/venv/bin/python3" "$w_stack/.venv/bin/python3"; do [ -x "$w_p" ] && printf %s "$w_p" && return; done; return 1; }
is_python() { case ${1##*/} in python | python3 | python3.[0-9]* | pypy | pypy3 | pypy3.[0-9]* | platform-python*) return 0 ;; esac; return 1; }
cannot() { w_error=$2 w_exit_code=$1; }
the_python() {
    w_program=$(stack_python) && { w_reason="$1: the stack's"; return; }
    for w_p in $2 python3 python; do
        w_program=$(command -v "$w_p" 2>/dev/null) && { w_reason="$1: the image's"; return; }
    done
    cannot 127 "the script is Python's, and no Python 3 was found on PATH ($PATH)"
}
choose() {
    w_shebang= w_program= w_argument= w_reason=
    [ -e "$w_script" ] || { cannot 127 "there is no script $w_script"; return; }
    [ -d "$w_script" ] && { cannot 126 "the script $w_script is a directory"; return; }
    [ -r "$w_script" ] || { cannot 126 "the script $w_script cannot be read"; return; }
    case $(dd if="$w_script" bs=4 count=1 2>/dev/null | od -An -tx1 | tr -d ' ') in
    7f454c46) w_program=$w_script w_reason="the script is a binary"; [ -x "$w_script" ] || cannot 126 "$w_script cannot be executed"; return ;;
    2321*) ;;
    *) w_program=/bin/sh w_reason="there is no first line, and it does not read like Python"
        if LC_ALL=C awk 'NR > 2000 { exit 1 } /^(import |from |def |class |async def |@|"""|print\()/ { found = 1; exit } END { exit !found }' "$w_script"; then
            the_python "there is no first line, and it reads like Python" ""
        fi
        return ;;
    esac
    w_shebang=$(first_line "$w_script")
    case $w_shebang in *"$(printf '\r')") cannot 127 "the script's first line ends as lines do on Windows; save it with Unix line ends"; return ;; esac
    w_rest=${w_shebang#??}
    w_rest=${w_rest#"${w_rest%%[! 	]*}"}
    w_program=${w_rest%%[ 	]*} w_argument=${w_rest#"$w_program"}
    w_argument=${w_argument#"${w_argument%%[! 	]*}"}
    w_argument=${w_argument%"${w_argument##*[! 	]}"}
    w_reason="the first line"
    w_named=$w_program
    if [ "${w_program##*/}" = env ]; then
        w_named=${w_argument#-S }
        w_named=${w_named%% *}
    fi
    if is_python "$w_named"; then
        [ "${w_program##*/}" != env ] || { w_argument=${w_argument#-S }; w_argument=${w_argument#"$w_named"}; w_argument=${w_argument# }; }
        the_python "the first line names python" "$w_named"
        return
    fi
    case $w_program in '') cannot 126 "the script's first line, $w_shebang, names no program" ;;
    *) if [ ! -e "$w_program" ]; then cannot 127 "$w_program, named by the script's first line $w_shebang, is not there"
        elif [ ! -x "$w_program" ]; then cannot 126 "$w_program, named by the script's first line $w_shebang, cannot be executed"
        elif [ "${w_program##*/}" = env ]; then
            case $w_named in -* | *=* | '') ;; *) have "$w_named" || cannot 127 "the script's first line, $w_shebang, names $w_named, which is not on PATH ($PATH)" ;; esac
        fi ;;
    esac
}

