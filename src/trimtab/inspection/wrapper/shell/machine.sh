# ---- The machine

meminfo() { LC_ALL=C awk -v name="$1:" '$1 == name { printf "%.0f", $2 * 1024; exit }' /proc/meminfo 2>/dev/null; }

hardware() {
    w_kernel=$(uname -s) w_release=$(uname -r) w_machine=$(uname -m) w_version=$(uname -v)
    LC_ALL=C awk -v arch="$w_machine" '
    function text(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); gsub(/[^ -~]/, "?", s); return s == "" ? "null" : "\"" s "\"" }
    function whole(s) { return s ~ /^[0-9]+$/ ? s + 0 : "null" }
    function truth(b) { return b ? "true" : "false" }
    BEGIN { FS = ":" }
    {
        name = tolower($1); gsub(/[ \t]+$/, "", name); value = substr($0, length($1) + 2); gsub(/^[ \t]+/, "", value)
        if (name == "processor") count++
        if (!(name in first)) first[name] = value
    }
    END {
        bits = arch ~ /64|s390x/ ? 64 : 32
        family = arch ~ /^(x86_64|amd64)$/ ? "X86_64" : arch ~ /^i[3-6]86$/ ? "X86_32" : arch ~ /^(aarch64|arm64)/ ? "ARM_8" : arch ~ /^armv7/ ? "ARM_7" : arch ~ /^ppc64/ ? "PPC_64" : arch ~ /^riscv64/ ? "RISCV_64" : arch == "s390x" ? "S390X" : ""
        brand = first["model name"]
        if (brand == "" && first["cpu implementer"] != "") brand = "implementer " first["cpu implementer"] " part " first["cpu part"]
        if (brand == "") brand = first["cpu"]
        hertz = first["cpu mhz"] + 0 > 0 ? sprintf("%.0f", first["cpu mhz"] * 1000000) : ""
        n = split(first["flags"] != "" ? first["flags"] : first["features"], flag, " ")
        for (i = 2; i <= n; i++) { f = flag[i]; for (j = i - 1; j > 0 && flag[j] > f; j--) flag[j + 1] = flag[j]; flag[j + 1] = f }
        for (i = 1; i <= n; i++) { list = list (i > 1 ? ", " : "") text(flag[i]); has[flag[i]] = 1 }
        print "  \"cpu_features\": {\n    \"flags\": [" list "],"
        print "    \"hz_actual\": " (hertz ? "[" hertz ", 0]" : "null") ",\n    \"hz_actual_raw\": null,"
        print "    \"hz_advertised\": null,\n    \"hz_advertised_raw\": null,\n    \"l1_data_cache_size\": null,"
        print "    \"l1_instruction_cache_size\": null,\n    \"l2_cache_size\": null,\n    \"l3_cache_size\": null\n  },"
        print "  \"cpu_info\": {\n    \"arch\": " text(family) ",\n    \"arch_string_raw\": " text(arch) ",\n    \"bits\": " bits ","
        print "    \"brand_raw\": " text(brand) ",\n    \"count\": " whole(count) ",\n    \"family\": " whole(first["cpu family"]) ","
        print "    \"hz_actual_friendly\": " (hertz ? text(sprintf("%.4f GHz", hertz / 1000000000)) : "null") ","
        print "    \"model\": " whole(first["model"]) ",\n    \"stepping\": " whole(first["stepping"]) ","
        print "    \"vendor_id_raw\": " text(first["vendor_id"]) "\n  },"
        print "  \"cpu_type\": {"
        if (n) print "    \"has_mmx\": " truth("mmx" in has) ",\n    \"has_sse\": " truth("sse" in has) ",\n    \"has_sse2\": " truth("sse2" in has) ",\n    \"has_sse3\": " truth("pni" in has) ",\n    \"has_ssse3\": " truth("ssse3" in has) ","
        if (first["vendor_id"] != "") print "    \"is_AMD\": " truth(first["vendor_id"] == "AuthenticAMD") ",\n    \"is_Intel\": " truth(first["vendor_id"] == "GenuineIntel") ","
        if (brand != "") print "    \"is_Xeon\": " truth(tolower(brand) ~ /xeon/) ",\n    \"is_XEON\": " truth(tolower(brand) ~ /xeon/) ","
        print "    \"is_32bit\": " truth(bits == 32) ",\n    \"is_64bit\": " truth(bits == 64) ",\n    \"nbits\": \"" bits "\",\n    \"ncpus\": " whole(count) "\n  },"
    }' /proc/cpuinfo 2>/dev/null || printf '  "cpu_features": {},\n  "cpu_info": {},\n  "cpu_type": {},\n'
    printf '  "memory": {\n    "available": %s,\n    "swap_total": %s,\n    "total": %s\n  },\n' \
        "$(number "$(meminfo MemAvailable)")" "$(number "$(meminfo SwapTotal)")" "$(number "$(meminfo MemTotal)")"
    printf '  "gpus": null,\n  "topology": null,\n  "virtualization": null,\n'
    printf '  "cgroup": {"version": %s, "memory": {"limit": %s}, "cpu": {"quota": %s}, "pids": {"limit": %s}},\n' \
        "${w_group_version:-null}" "$(memory_limit)" "$(quota)" "$(number "$(first_line "$w_pids_group/pids.max")")"
    printf '  "platform": {\n    "architecture": ["%s", "ELF"],\n    "machine": %s,\n    "node": %s,\n    "platform": %s,\n' \
        "$(case $w_machine in *64* | s390x) echo 64bit ;; *) echo 32bit ;; esac)" "$(quote "$w_machine")" "$(quote "$w_host")" \
        "$(quote "$w_kernel-$w_release-$w_machine")"
    printf '    "processor": %s,\n    "release": %s,\n    "version": %s\n  }' \
        "$(quote "$w_machine")" "$(quote "$w_release")" "$(quote "$w_version")"
}

# /etc/os-release as an object of lower-case names.
os_release() {
    [ -r /etc/os-release ] || { printf null; return; }
    { LC_ALL=C awk '
    /^[A-Za-z_0-9]+=/ {
        name = tolower(substr($0, 1, index($0, "=") - 1)); value = substr($0, index($0, "=") + 1)
        if (value ~ /^".*"$/ || value ~ /^\x27.*\x27$/) value = substr(value, 2, length(value) - 2)
        gsub(/\\/, "\\\\", value); gsub(/"/, "\\\"", value); gsub(/[\001-\037]/, " ", value)
        if (seen[name]++) next
        printf "%s\n    \"%s\": \"%s\"", (n++ ? "," : "{"), name, value
    }
    END { print (n ? "\n  }" : "{}") }' /etc/os-release; }
}
release_value() { [ -r /etc/os-release ] && sed -n "s/^$1=//p" /etc/os-release | tr -d "\"'"; }

