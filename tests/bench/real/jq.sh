# shellcheck shell=bash
# jq, from Debian's source package: groups, sorts and formats records.

build() {
    . "$REAL/programs/jq.sh"
    build "$1"
}

input() {
    awk 'BEGIN { print "["; for (i = 0; i < 1500; i++)
        printf "%s{\"id\":%d,\"name\":\"n%d\",\"group\":\"g%d\",\"v\":%.3f,\"at\":%d}\n",
            (i ? "," : ""), i, i * 7 % 1000, i % 13, i * i % 977 / 7, 1500000000 + i * 86413
        print "]" }'
}

args=(-c 'group_by(.group) | map({g: .[0].group, n: length, mean: (map(.v) | add / length), top: max_by(.v).name, names: (map(.name | ltrimstr("n") | tonumber) | sort | map(tostring) | join(","))})[]')
