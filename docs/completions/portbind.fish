# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_portbind_global_optspecs
    string join \n h/help V/version
end

function __fish_portbind_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_portbind_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_portbind_using_subcommand
    set -l cmd (__fish_portbind_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c portbind -n "__fish_portbind_needs_command" -s h -l help -d 'Print help'
complete -c portbind -n "__fish_portbind_needs_command" -s V -l version -d 'Print version'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "trace" -d 'Tell every refused bind on the machine, and who held the port at that instant'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "who" -d 'Tell who is on a port, or bound to the path of a socket'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "check" -d 'Tell whether a bind would succeed now, and if not, why and what helps'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "free" -d 'Stop the processes that have a port, or remove a stale socket file'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "wait" -d 'Wait until a port is free, or until somebody listens on it'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "run" -d 'Run a command, and tell what it and its descendants were refused, and what they left bound'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "compare" -d 'Compare the refusals of recordings before and after a change'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "explain" -d 'Find "address already in use" in a log, and tell from recordings what it was about'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "report" -d 'Tell what recordings have in common: causes, ports, who refused whom; as text, JSON or a page'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "doctor" -d 'Tell what this kernel and these privileges allow, and why not'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s o -l output-format -d 'How events are written: `text` for people, `brief` one line each, `json` one object a line' -r -f -a "text\t'A few lines an event, for people'
brief\t'One line an event, in columns'
json\t'One JSON object a line'"
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s p -l pid -d 'Only refusals of this process' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s P -l port -d 'Only refusals of these ports: 8080,9000-9010. Sockets without a port are left out' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l comm -d 'Only refusals of processes or threads of this name' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l proto -d 'Only these protocols: tcp,udp,mptcp,ping,udplite,sctp,unix,netlink,vsock' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l netns -d 'Only this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s e -l errors -d 'Which errors are refusals: eaddrinuse, all, or a list of names and numbers' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l backend -d 'Use this backend instead of the first that works' -r -f -a "fexit\t'Trampolines at the return of kernel functions: sees all calls, costs nothing elsewhere'
kprobe\t'Probes at entry and return of kernel functions: sees all calls'
tracepoint\t'The end of system calls: works where the others are forbidden; not io_uring, not in-kernel binds'"
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l timeout -d 'Stop after this long: 30, 0.5, 5m, 1h' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l count -d 'Stop after this many events' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l output -d 'Append events to this file (created for its owner only) instead of writing them to stdout' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l history-limit -d 'Remember at most this many moments in the life of ports' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l history -d 'Show with every refusal what happened on the port before; else only where the holder has ended'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l coalesce -d 'In JSON, too, only count what is refused to the same process over and over; `text` and `brief` always do'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l track-connects -d 'Also follow the ports that connect(2) picks'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l show-secrets -d 'Write passwords and tokens in arguments as they are; else *** stands in their place'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s v -l verbose -d 'Say on stderr what was tried and what is done without; twice: every bind and listen system call'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand who" -l proto -d 'Only this protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand who" -s o -l output-format -d 'How the answer is written: `text` for people, `json` as one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand who" -l netns -d 'Look into this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand who" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand who" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand check" -l address -d 'The address; the default is 0.0.0.0, and :: with --v6-only' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -l proto -d 'The protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -l interface -d 'Bound to this interface (SO_BINDTODEVICE)' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -s o -l output-format -d 'How the answer is written: `text` for people, `json` as one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand check" -l netns -d 'Look into this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand check" -l reuse-address -d 'With SO_REUSEADDR, as most servers do'
complete -c portbind -n "__fish_portbind_using_subcommand check" -l reuse-port -d 'With SO_REUSEPORT'
complete -c portbind -n "__fish_portbind_using_subcommand check" -l v6-only -d 'With IPV6_V6ONLY'
complete -c portbind -n "__fish_portbind_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand free" -l proto -d 'The protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand free" -l grace -d 'How long processes have between SIGTERM and SIGKILL: 5, 0.5, 1m' -r
complete -c portbind -n "__fish_portbind_using_subcommand free" -s o -l output-format -d 'How the answer is written: `text` for people, `json` as one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand free" -l netns -d 'Look into this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand free" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand free" -s y -l yes -d 'Do not ask'
complete -c portbind -n "__fish_portbind_using_subcommand free" -l dry-run -d 'Only show what would be done'
complete -c portbind -n "__fish_portbind_using_subcommand free" -l reuse-address -d 'The port counts as free when a bind with SO_REUSEADDR succeeds: connections in TIME_WAIT are then no matter'
complete -c portbind -n "__fish_portbind_using_subcommand free" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l until -d 'What to wait for' -r -f -a "free\t'A bind would succeed'
listening\t'Somebody listens'"
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l timeout -d 'Give up after this long: 30, 0.5, 5m, 1h. Without it, wait for ever' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l address -d 'The address; the default is 0.0.0.0, and :: with --v6-only' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l proto -d 'The protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l interface -d 'Bound to this interface (SO_BINDTODEVICE)' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -s o -l output-format -d 'How the answer is written: `text` for people, `json` as one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l netns -d 'Look into this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l reuse-address -d 'With SO_REUSEADDR, as most servers do'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l reuse-port -d 'With SO_REUSEPORT'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l v6-only -d 'With IPV6_V6ONLY'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s u -l user -d 'Run the command as this user, by name or number; else as who called sudo' -r
complete -c portbind -n "__fish_portbind_using_subcommand run" -l record -d 'Append every event to this file, one JSON object a line' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand run" -l report -d 'Write a page that any browser shows to this file, in place of what is there' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand run" -l fail-on -d 'End with status 1 for what was found, though the command itself ended with 0' -r -f -a "refusal\t'A refused bind'
leak\t'A socket that outlives the command'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -s e -l errors -d 'Which errors are refusals: eaddrinuse, all, or a list of names and numbers' -r
complete -c portbind -n "__fish_portbind_using_subcommand run" -l ci -d 'Tell the findings in the form of this CI system, too; -q leaves them out' -r -f -a "auto\t'The one whose variables are in the environment'
none\t'None: plain text'
github\t'GitHub Actions, and what follows it: Gitea, Forgejo'
gitlab\t'GitLab CI'
azure\t'Azure Pipelines'
buildkite\t'Buildkite'
jenkins\t'Jenkins'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -l backend -d 'Use this backend instead of the first that works' -r -f -a "fexit\t'Trampolines at the return of kernel functions: sees all calls, costs nothing elsewhere'
kprobe\t'Probes at entry and return of kernel functions: sees all calls'
tracepoint\t'The end of system calls: works where the others are forbidden; not io_uring, not in-kernel binds'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -l history-limit -d 'Remember at most this many moments in the life of ports' -r
complete -c portbind -n "__fish_portbind_using_subcommand run" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -l optional -d 'Where tracing is not possible, say so and run the command without'
complete -c portbind -n "__fish_portbind_using_subcommand run" -l track-connects -d 'Also follow the ports that connect(2) picks'
complete -c portbind -n "__fish_portbind_using_subcommand run" -l show-secrets -d 'Write passwords and tokens in arguments to the recording as they are; else *** stands in their place'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s v -l verbose -d 'Tell each refusal on stderr when it happens, too'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand compare" -s o -l output-format -d 'How the comparison is written: `text` for people, `json` as one object' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c portbind -n "__fish_portbind_using_subcommand compare" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand compare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l record -d 'What trace or run recorded at the time; may be given several times' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand explain" -s o -l output-format -d 'How explanations are written: `text` for people, `json` one object a line' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l zone -d 'The time zone of times in the log that name none, as UTC or Europe/Berlin; else that of this machine' -r
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand report" -s o -l output-format -d '`text` for people, `json` as one object' -r -f -a "text\t''
json\t''"
complete -c portbind -n "__fish_portbind_using_subcommand report" -l html -d 'Also write a page that opens in any browser, without a network' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand report" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand doctor" -s o -l output-format -d '`text` for people, `json` as one object' -r -f -a "text\t''
json\t''"
complete -c portbind -n "__fish_portbind_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "trace" -d 'Tell every refused bind on the machine, and who held the port at that instant'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "who" -d 'Tell who is on a port, or bound to the path of a socket'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "check" -d 'Tell whether a bind would succeed now, and if not, why and what helps'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "free" -d 'Stop the processes that have a port, or remove a stale socket file'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "wait" -d 'Wait until a port is free, or until somebody listens on it'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "run" -d 'Run a command, and tell what it and its descendants were refused, and what they left bound'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "compare" -d 'Compare the refusals of recordings before and after a change'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "explain" -d 'Find "address already in use" in a log, and tell from recordings what it was about'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "report" -d 'Tell what recordings have in common: causes, ports, who refused whom; as text, JSON or a page'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "doctor" -d 'Tell what this kernel and these privileges allow, and why not'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
