# Completion of wasmrun for bash. Asks the command itself: it lists its options.

# Candidates for a value of this form, as --help shows it.
_wasmrun_value() {
    case $1 in
    HOST* | GUEST*) COMPREPLY=($(compgen -d -- "$2")) ;;
    NAME=FILE)
        case $2 in
        *=*) COMPREPLY=($(compgen -f -- "${2#*=}")) ;;
        esac
        ;;
    'NAME[=on|off]') COMPREPLY=($(compgen -W "$("$3" help features | sed -n 's/^  \([^ ]*\) .*/\1/p')" -- "$2")) ;;
    'NAME[=VALUE]') COMPREPLY=($(compgen -e -- "$2")) ;;
    *[A-Z]*) ;;
    *) COMPREPLY=($(compgen -W "${1//|/ }" -- "$2")) ;;
    esac
}

_wasmrun() {
    local program=$1 current=$2 command=run commands options value
    COMPREPLY=()
    commands=$("$program" __complete 2>/dev/null | cut -f1)
    if ((COMP_CWORD > 1)) && [[ " ${commands//$'\n'/ } " == *" ${COMP_WORDS[1]} "* ]]; then
        command=${COMP_WORDS[1]}
    fi
    if [[ $command == help ]]; then
        COMPREPLY=($(compgen -W "$commands features" -- "$current"))
        return
    fi
    options=$("$program" __complete "$command" 2>/dev/null)
    value=$(awk -F '\t' -v word="$3" '$3 != "" && ($1 == word || $2 == word) { print $3 }' <<<"$options")
    if [[ -n $value ]]; then
        _wasmrun_value "$value" "$current" "$program"
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$(cut -f1 <<<"$options")" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
        ((COMP_CWORD == 1)) && COMPREPLY+=($(compgen -W "$commands" -- "$current"))
    fi
}
complete -o filenames -F _wasmrun wasmrun
