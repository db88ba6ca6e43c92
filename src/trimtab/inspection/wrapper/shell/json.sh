# ---- JSON

# Bytes of standard input as a JSON string. Exit status: 0, or 10 with 1 for what is no UTF-8 and 2 for a control character.
encode() {
    LC_ALL=C od -An -v -tu1 | LC_ALL=C awk '
    function put(c) {
        if (c == 34) printf "\\\""
        else if (c == 92) printf "\\\\"
        else if (c == 10) printf "\\n"
        else if (c < 32 || c == 127) { printf "\\u%04x", c; if (c != 9 && c != 13 && c != 127) control = 2 }
        else if (c < 127) printf "%c", c
        else if (c < 65536) printf "\\u%04x", c
        else { c -= 65536; printf "\\u%04x\\u%04x", 55296 + int(c / 1024), 56320 + c % 1024 }
    }
    function bad() { printf "\\ufffd"; invalid = 1; want = 0 }
    BEGIN { printf "\""; want = 0; invalid = 0; control = 0 }
    {
        for (i = 1; i <= NF; i++) {
            b = $i + 0
            if (want) {
                if (b >= 128 && b < 192) {
                    code = code * 64 + b - 128
                    if (--want == 0) {
                        if (code < least || code > 1114111 || (code >= 55296 && code < 57344)) bad()
                        else put(code)
                    }
                    continue
                }
                bad()
            }
            if (b < 128) put(b)
            else if (b >= 194 && b < 224) { want = 1; code = b - 192; least = 128 }
            else if (b >= 224 && b < 240) { want = 2; code = b - 224; least = 2048 }
            else if (b >= 240 && b < 245) { want = 3; code = b - 240; least = 65536 }
            else bad()
        }
    }
    END { if (want) bad(); printf "\""; exit (invalid + control ? 10 + invalid + control : 0) }'
}

quote() {
    case $1 in
    *[!A-Za-z0-9\ ./_:,=+@%~\(\)\#!-]*) printf %s "$1" | encode ;;
    *) printf '"%s"' "$1" ;;
    esac
}
text_or_null() { if [ -n "$1" ]; then quote "$1"; else printf null; fi; }

# Whether a file is one JSON value, and whether that is neither empty nor zero nor false: exit status 0, 1 is no JSON, 2
# is JSON of that kind. Strings become one sign, other values another, then lists and objects of these, from the inside.
is_json() {
    LC_ALL=C awk '
    BEGIN { RS = "\001"; h = "[0-9a-fA-F]"; S = sprintf("%c", 1); V = sprintf("%c", 2); v = "[" S V "]" }
    { all = all $0 }
    END {
        bare = all; gsub(/[ \t\r\n]/, "", bare)
        if (bare == "" || length(all) > 262144) exit 1
        pair = "[dD][89abAB]" h h "\\\\u[dD][c-fC-F]" h h
        unit = "([0-9a-cefA-CEF]" h h h "|[dD][0-7]" h h "|" pair ")"
        gsub("\"([^\"\\\\\n\t\r]|\\\\([\"\\\\/bfnrt]|u" unit "))*\"", S, all)
        gsub(/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/, V, all)
        gsub(/true|false|null/, V, all)
        gsub(/[ \t\r\n]/, "", all)
        for (depth = 0; depth < 100; depth++)
            if (!gsub("\\[\\]|\\{\\}|\\[" v "(," v ")*\\]|\\{" S ":" v "(," S ":" v ")*\\}", V, all)) break
        if (all != V && all != S) exit 1
        if (bare ~ /^(""|\[\]|\{\}|null|false|-?0(\.0+)?([eE][-+]?[0-9]+)?)$/) exit 2
        exit 0
    }' "$1"
}

