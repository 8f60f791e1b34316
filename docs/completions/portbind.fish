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
complete -c portbind -n "__fish_portbind_needs_command" -f -a "trace" -d 'Trace every refused bind on this machine, and show who held the port at that instant'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "who" -d 'Show the processes on a port, or bound to the path of a socket'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "check" -d 'Check whether a bind would succeed now, and if not, why and what helps'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "free" -d 'Stop the processes that own a port, or remove a stale socket file'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "wait" -d 'Wait until a port is free, or until a process listens on it'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "run" -d 'Run a command, and report the refused binds and leftover sockets of the command and its descendants'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "compare" -d 'Compare the refused binds of recordings from before and after a change'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "explain" -d 'Find "address already in use" in a log, and explain it from recordings'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "report" -d 'Summarize recordings: causes, ports, callers and holders; as text, JSON or an HTML page'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "doctor" -d 'Show what this kernel and these privileges allow, and why not'
complete -c portbind -n "__fish_portbind_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s o -l output-format -d 'Output format: `text` for people, `brief` for one line per event, `json` for one object per line' -r -f -a "text\t'A few lines an event, for people'
brief\t'One line an event, in columns'
json\t'One JSON object a line'"
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s p -l pid -d 'Only refused binds of this process' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s P -l port -d 'Only refused binds of these ports: 8080,9000-9010. Omits sockets without a port' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l comm -d 'Only refused binds of processes or threads with this name' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l proto -d 'Only these protocols: tcp,udp,mptcp,ping,udplite,sctp,unix,netlink,vsock' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l netns -d 'Only this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s e -l errors -d 'Errors that count as refused binds: eaddrinuse, all, or a list of names and numbers' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l backend -d 'Use this backend instead of the first that works' -r -f -a "fexit\t'Trampolines at the return of kernel functions: sees all calls and adds no cost elsewhere'
kprobe\t'Probes at entry and return of kernel functions: sees all calls'
tracepoint\t'Tracepoint at the end of system calls: works where the other backends are forbidden; misses io_uring and in-kernel binds'"
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l timeout -d 'Stop after this long: 30, 0.5, 5m, 1h' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l count -d 'Stop after this many events' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l output -d 'Append events to this file (created for its owner only) instead of writing them to stdout' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l history-limit -d 'Keep at most this many events in the history of ports' -r
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l history -d 'With every refused bind, show earlier events on the port; by default only if the holder has ended'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l coalesce -d 'Also in JSON, only count the repeated refusals of one process; `text` and `brief` always do'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l track-connects -d 'Also record the ports that connect(2) picks'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -l show-secrets -d 'Print passwords and tokens in arguments as they are, instead of ***'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s v -l verbose -d 'Print on stderr what was tried and which features are missing; twice: every bind and listen system call'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s q -l quiet -d 'Print only errors on stderr'
complete -c portbind -n "__fish_portbind_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand who" -l proto -d 'Only this protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand who" -s o -l output-format -d 'Output format: `text` for people, `json` for one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand who" -l netns -d 'Inspect this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand who" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand who" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand check" -l address -d 'The address to bind; the default is 0.0.0.0, or :: with --v6-only' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -l proto -d 'The protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -l interface -d 'Bind the socket to this interface (SO_BINDTODEVICE)' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -s o -l output-format -d 'Output format: `text` for people, `json` for one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand check" -l netns -d 'Inspect this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand check" -l reuse-address -d 'Set SO_REUSEADDR, as most servers do'
complete -c portbind -n "__fish_portbind_using_subcommand check" -l reuse-port -d 'Set SO_REUSEPORT'
complete -c portbind -n "__fish_portbind_using_subcommand check" -l v6-only -d 'Set IPV6_V6ONLY'
complete -c portbind -n "__fish_portbind_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand free" -l proto -d 'The protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand free" -l grace -d 'Time between the first signal and SIGKILL: 5, 0.5, 1m' -r
complete -c portbind -n "__fish_portbind_using_subcommand free" -s o -l output-format -d 'Output format: `text` for people, `json` for one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand free" -l netns -d 'Inspect this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand free" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand free" -s y -l yes -d 'Do not ask for confirmation'
complete -c portbind -n "__fish_portbind_using_subcommand free" -l dry-run -d 'Only show what would be done'
complete -c portbind -n "__fish_portbind_using_subcommand free" -l reuse-address -d 'Treat the port as free when a bind with SO_REUSEADDR succeeds, which ignores connections in TIME_WAIT'
complete -c portbind -n "__fish_portbind_using_subcommand free" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l until -d 'What to wait for' -r -f -a "free\t'A bind would succeed'
listening\t'A process listens'"
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l timeout -d 'Give up after this long: 30, 0.5, 5m, 1h. Without it, wait for ever' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l address -d 'The address to bind; the default is 0.0.0.0, or :: with --v6-only' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l proto -d 'The protocol: tcp, udp, mptcp, udplite or sctp' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l interface -d 'Bind the socket to this interface (SO_BINDTODEVICE)' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -s o -l output-format -d 'Output format: `text` for people, `json` for one object on a line' -r -f -a "text\t'A few lines, for people'
json\t'One JSON object on a line'"
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l netns -d 'Inspect this network namespace: inode number, path, pid:N, or a name under /run/netns' -r
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l reuse-address -d 'Set SO_REUSEADDR, as most servers do'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l reuse-port -d 'Set SO_REUSEPORT'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -l v6-only -d 'Set IPV6_V6ONLY'
complete -c portbind -n "__fish_portbind_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s u -l user -d 'Run the command as this user (name or number); the default is the user who called sudo' -r
complete -c portbind -n "__fish_portbind_using_subcommand run" -l record -d 'Append every event to this file, one JSON object per line' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand run" -l report -d 'Write an HTML page to this file, replacing its content' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand run" -l fail-on -d 'Exit with status 1 if any of these was found, even if the command exits with 0' -r -f -a "refusal\t'A refused bind'
leak\t'A socket that outlives the command'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -s e -l errors -d 'Errors that count as refused binds: eaddrinuse, all, or a list of names and numbers' -r
complete -c portbind -n "__fish_portbind_using_subcommand run" -l ci -d 'Also print the findings in the format of this CI system; -q turns this off' -r -f -a "auto\t'The system whose variables are in the environment'
none\t'None: plain text'
github\t'GitHub Actions, and the compatible Gitea and Forgejo'
gitlab\t'GitLab CI'
azure\t'Azure Pipelines'
buildkite\t'Buildkite'
jenkins\t'Jenkins'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -l backend -d 'Use this backend instead of the first that works' -r -f -a "fexit\t'Trampolines at the return of kernel functions: sees all calls and adds no cost elsewhere'
kprobe\t'Probes at entry and return of kernel functions: sees all calls'
tracepoint\t'Tracepoint at the end of system calls: works where the other backends are forbidden; misses io_uring and in-kernel binds'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -l history-limit -d 'Keep at most this many events in the history of ports' -r
complete -c portbind -n "__fish_portbind_using_subcommand run" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand run" -l optional -d 'If tracing is not possible, print a warning and run the command without it'
complete -c portbind -n "__fish_portbind_using_subcommand run" -l track-connects -d 'Also record the ports that connect(2) picks'
complete -c portbind -n "__fish_portbind_using_subcommand run" -l show-secrets -d 'Record passwords and tokens in arguments as they are, instead of ***'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s v -l verbose -d 'Also print each refused bind on stderr when it happens'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s q -l quiet -d 'Print only errors on stderr'
complete -c portbind -n "__fish_portbind_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand compare" -s o -l output-format -d 'Output format: `text` for people, `json` for one object' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c portbind -n "__fish_portbind_using_subcommand compare" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand compare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l cause -d 'Print the page of this cause: what it means, what helps, and what does not' -r -f -a "listener\t''
same-program\t''
own-socket\t''
inherited\t''
bound-not-listening\t''
listen-race\t''
connection\t''
time-wait\t''
outgoing\t''
stolen-free-port\t''
wildcard\t''
dual-stack\t''
reuseport-mismatch\t''
port-range-exhausted\t''
kernel-socket\t''
live-socket-file\t''
stale-socket-file\t''
path-exists\t''
abstract-name-taken\t''
address-in-use-elsewhere\t''
vanished\t''
address-not-local\t''
address-tentative\t''
privileged-port\t''
forbidden-by-security-module\t''
access-denied\t''
forbidden-by-program\t''
already-bound\t''
already-connected\t''
link-local-without-interface\t''
mapped-on-v6only\t''
multicast-on-stream\t''
sockaddr-size\t''
invalid-argument\t''
family-mismatch\t''
no-such-interface\t''
cannot-listen\t''
bad-pointer\t''
no-memory\t''
other-error\t''"
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l record -d 'What trace or run recorded at the time; may be given several times' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand explain" -s o -l output-format -d 'Output format: `text` for people, `json` for one object per line' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l zone -d 'The time zone of timestamps in the log that name none, as UTC or Europe/Berlin; the default is this machine\'s' -r
complete -c portbind -n "__fish_portbind_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand report" -s o -l output-format -d 'Output format: `text` for people, `json` for one object' -r -f -a "text\t''
json\t''"
complete -c portbind -n "__fish_portbind_using_subcommand report" -l html -d 'Also write an HTML page that any browser opens without a network' -r -F
complete -c portbind -n "__fish_portbind_using_subcommand report" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless the environment says otherwise'
always\t'Always'
never\t'Never'"
complete -c portbind -n "__fish_portbind_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c portbind -n "__fish_portbind_using_subcommand doctor" -s o -l output-format -d 'Output format: `text` for people, `json` for one object' -r -f -a "text\t''
json\t''"
complete -c portbind -n "__fish_portbind_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "trace" -d 'Trace every refused bind on this machine, and show who held the port at that instant'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "who" -d 'Show the processes on a port, or bound to the path of a socket'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "check" -d 'Check whether a bind would succeed now, and if not, why and what helps'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "free" -d 'Stop the processes that own a port, or remove a stale socket file'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "wait" -d 'Wait until a port is free, or until a process listens on it'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "run" -d 'Run a command, and report the refused binds and leftover sockets of the command and its descendants'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "compare" -d 'Compare the refused binds of recordings from before and after a change'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "explain" -d 'Find "address already in use" in a log, and explain it from recordings'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "report" -d 'Summarize recordings: causes, ports, callers and holders; as text, JSON or an HTML page'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "doctor" -d 'Show what this kernel and these privileges allow, and why not'
complete -c portbind -n "__fish_portbind_using_subcommand help; and not __fish_seen_subcommand_from trace who check free wait run compare explain report doctor help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
