# Completion of wasmrun for fish. Asks the command itself: it lists its options.

set -l commands (wasmrun __complete 2>/dev/null | string split -f1 \t)

complete -c wasmrun -e
for line in (wasmrun __complete 2>/dev/null)
    set -l fields (string split \t -- $line)
    complete -c wasmrun -n __fish_use_subcommand -a $fields[1] -d $fields[2]
end
complete -c wasmrun -n '__fish_seen_subcommand_from help' -f -a "$commands features"

for command in $commands
    # without a subcommand, the options are those of run
    set -l condition "__fish_seen_subcommand_from $command"
    test $command = run; and set condition "not __fish_seen_subcommand_from $commands; or $condition"
    for line in (wasmrun __complete $command 2>/dev/null)
        set -l fields (string split \t -- $line)
        set -l options -l (string sub -s 3 -- $fields[1]) -d $fields[4]
        test -n "$fields[2]"; and set -a options -s (string sub -s 2 -- $fields[2])
        switch $fields[3]
            case ''
            case '*FILE'
                set -a options -r -F
            case 'HOST*' 'GUEST*'
                set -a options -x -a '(__fish_complete_directories)'
            case '*|*'
                string match -qr '[A-Z]' -- $fields[3]; and set -a options -x
                or set -a options -x -a (string replace -a '|' ' ' -- $fields[3])
            case '*'
                set -a options -x
        end
        complete -c wasmrun -n $condition $options
    end
end
