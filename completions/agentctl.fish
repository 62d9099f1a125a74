# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_agentctl_global_optspecs
    string join \n o/output= progress= q/quiet v/verbose color= utc local base-url= api-key-file= ca-cert= allow-plain-http request-timeout= h/help V/version
end

function __fish_agentctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_agentctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_agentctl_using_subcommand
    set -l cmd (__fish_agentctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c agentctl -n "__fish_agentctl_needs_command" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_needs_command" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_needs_command" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_needs_command" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_needs_command" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_needs_command" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_needs_command" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_needs_command" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_needs_command" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_needs_command" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_needs_command" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_needs_command" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_needs_command" -s V -l version -d 'Print version'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "send" -d 'Send a message to an agent and print the run'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "status" -d 'Show runs as they are now'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "watch" -d 'Follow runs until they end'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "messages" -d 'Show the messages of a run'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "cancel" -d 'Cancel runs, then show what they really became'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "agents" -d 'List, show, create or delete agents'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "man" -d 'Print the manual page'
complete -c agentctl -n "__fish_agentctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s a -l agent -d 'The agent, by id or by name [env: LETTA_AGENT_ID] [default with --local: default]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s m -l message -d 'A message\'s text; may be given more than once' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s F -l message-file -d 'Read a message\'s text from a file, or from standard input with -' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l image -d 'Add an image, a file or a URL, to the last message' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l role -d 'The role of the messages' -r -f -a "user\t''
system\t''
assistant\t''"
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l body -d 'Read the request from a JSON file, or from standard input with -' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l set -d 'Set any field of the request to a text; dots go into objects' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l set-json -d 'Set any field of the request to a JSON value' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l max-steps -d 'The most steps that the agent may take [server\'s default: 50]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l use-assistant-message -d 'Turn the tool call by which older agents speak into an assistant message' -r -f -a "true\t''
false\t''"
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l assistant-message-tool-name -d 'The name of that tool [server\'s default: send_message]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l assistant-message-tool-kwarg -d 'The argument of that tool which holds the text [server\'s default: message]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l include-return-message-types -l return-types -d 'Keep only messages of these types in the run\'s messages' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l enable-thinking -d 'Ask for the agent\'s reasoning' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l callback-url -d 'Where the server posts the end of the run to' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l override-model -d 'Use this model for this run, such as openai/gpt-4o-mini' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l timeout -d 'Stop following after this long; the run goes on (exit 124)' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l interval -d 'Look at this interval instead of one that grows with the run\'s age' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l max-outage -d 'How long the server may fail to answer, in a row (exit 124) [default: 5m]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l when-idle -d 'Wait until the agent has no active run, then send'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l dry-run -d 'Print the request as JSON instead of sending it'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l curl -d 'Print the request as a curl command instead of sending it'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l watch -d 'Follow the run until it ends, with progress'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l wait -d 'Follow the run until it ends, without progress'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l reply -d 'Print only the assistant\'s text; implies following'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l follow -d 'Print new messages as they appear'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l events -d 'Print a stream of JSON events instead of runs'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l strict -d 'Count a truncated run as failed (exit 1)'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l exit-status -d 'Let the exit code tell how the runs are'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -s a -l agent -d 'Follow all active runs of this agent' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l timeout -d 'Stop following after this long; the run goes on (exit 124)' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l interval -d 'Look at this interval instead of one that grows with the run\'s age' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l max-outage -d 'How long the server may fail to answer, in a row (exit 124) [default: 5m]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l any -d 'End with the first run that ends'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l fail-fast -d 'End with the first run that does not succeed'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l reply -d 'Print only the assistant\'s text; implies following'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l follow -d 'Print new messages as they appear'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l events -d 'Print a stream of JSON events instead of runs'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l strict -d 'Count a truncated run as failed (exit 1)'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l exit-status -d 'Accepted for those who are used to it; the exit code always tells'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l type -d 'Only messages of these types, such as assistant_message' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l reply -d 'Print only the assistant\'s text'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand messages" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l timeout -d 'How long to wait for the runs to end' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand cancel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -f -a "list" -d 'List agents, newest first'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -f -a "show" -d 'Show agents'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -f -a "create" -d 'Create an agent'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -f -a "delete" -d 'Delete agents, with their runs and messages'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and not __fish_seen_subcommand_from list show create delete help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l name -d 'Its name' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l model -d 'Its model, such as openai/gpt-4o-mini [default with --local: agentctl/echo]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l system -d 'Its system prompt' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l agent-type -d 'Its kind [server\'s default: letta_v1_agent]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "list" -d 'List agents, newest first'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show agents'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "create" -d 'Create an agent'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "delete" -d 'Delete agents, with their runs and messages'
complete -c agentctl -n "__fish_agentctl_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l out -d 'Write a page for each command into this folder' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -s o -l output -d 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]' -r -f -a "human\t'For people'
json\t'One JSON document per line'
id\t'One id per line'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l progress -d 'How to show progress on standard error' -r -f -a "auto\t'A display on a terminal that can redraw it, else lines'
plain\t'A line per change'
none\t'Nothing'"
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l base-url -d 'The server\'s address [env: LETTA_BASE_URL]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l api-key-file -d 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l ca-cert -d 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]' -r -F
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l request-timeout -d 'How long one request may take [default: 30s to read, 60s to send]' -r
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -s q -l quiet -d 'Print neither progress nor notices'
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -s v -l verbose -d 'Say where settings came from and what goes over the wire; twice: bodies too'
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l utc -d 'Print times in UTC as RFC 3339'
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l local -d 'Use the engine inside this program: no server, no account'
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -l allow-plain-http -d 'Let the key go over plain http to public addresses'
complete -c agentctl -n "__fish_agentctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "send" -d 'Send a message to an agent and print the run'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "status" -d 'Show runs as they are now'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "watch" -d 'Follow runs until they end'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "messages" -d 'Show the messages of a run'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "cancel" -d 'Cancel runs, then show what they really became'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "agents" -d 'List, show, create or delete agents'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "man" -d 'Print the manual page'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and not __fish_seen_subcommand_from send status watch messages cancel agents completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and __fish_seen_subcommand_from agents" -f -a "list" -d 'List agents, newest first'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and __fish_seen_subcommand_from agents" -f -a "show" -d 'Show agents'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and __fish_seen_subcommand_from agents" -f -a "create" -d 'Create an agent'
complete -c agentctl -n "__fish_agentctl_using_subcommand help; and __fish_seen_subcommand_from agents" -f -a "delete" -d 'Delete agents, with their runs and messages'
