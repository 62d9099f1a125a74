
use builtin;
use str;

set edit:completion:arg-completer[agentctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'agentctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'agentctl'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand send 'Send a message to an agent and print the run'
            cand status 'Show runs as they are now'
            cand watch 'Follow runs until they end'
            cand messages 'Show the messages of a run'
            cand cancel 'Cancel runs, then show what they really became'
            cand agents 'List, show, create or delete agents'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'agentctl;send'= {
            cand -a 'The agent, by id or by name [env: LETTA_AGENT_ID] [default with --local: default]'
            cand --agent 'The agent, by id or by name [env: LETTA_AGENT_ID] [default with --local: default]'
            cand -m 'A message''s text; may be given more than once'
            cand --message 'A message''s text; may be given more than once'
            cand -F 'Read a message''s text from a file, or from standard input with -'
            cand --message-file 'Read a message''s text from a file, or from standard input with -'
            cand --image 'Add an image, a file or a URL, to the last message'
            cand --role 'The role of the messages'
            cand --body 'Read the request from a JSON file, or from standard input with -'
            cand --set 'Set any field of the request to a text; dots go into objects'
            cand --set-json 'Set any field of the request to a JSON value'
            cand --max-steps 'The most steps that the agent may take [server''s default: 50]'
            cand --use-assistant-message 'Turn the tool call by which older agents speak into an assistant message'
            cand --assistant-message-tool-name 'The name of that tool [server''s default: send_message]'
            cand --assistant-message-tool-kwarg 'The argument of that tool which holds the text [server''s default: message]'
            cand --include-return-message-types 'Keep only messages of these types in the run''s messages'
            cand --return-types 'Keep only messages of these types in the run''s messages'
            cand --enable-thinking 'Ask for the agent''s reasoning'
            cand --callback-url 'Where the server posts the end of the run to'
            cand --override-model 'Use this model for this run, such as openai/gpt-4o-mini'
            cand --timeout 'Stop following after this long; the run goes on (exit 124)'
            cand --interval 'Look at this interval instead of one that grows with the run''s age'
            cand --max-outage 'How long the server may fail to answer, in a row (exit 124) [default: 5m]'
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand --when-idle 'Wait until the agent has no active run, then send'
            cand --dry-run 'Print the request as JSON instead of sending it'
            cand --curl 'Print the request as a curl command instead of sending it'
            cand --watch 'Follow the run until it ends, with progress'
            cand --wait 'Follow the run until it ends, without progress'
            cand --reply 'Print only the assistant''s text; implies following'
            cand --follow 'Print new messages as they appear'
            cand --events 'Print a stream of JSON events instead of runs'
            cand --strict 'Count a truncated run as failed (exit 1)'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;status'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand --exit-status 'Let the exit code tell how the runs are'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;watch'= {
            cand -a 'Follow all active runs of this agent'
            cand --agent 'Follow all active runs of this agent'
            cand --timeout 'Stop following after this long; the run goes on (exit 124)'
            cand --interval 'Look at this interval instead of one that grows with the run''s age'
            cand --max-outage 'How long the server may fail to answer, in a row (exit 124) [default: 5m]'
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand --any 'End with the first run that ends'
            cand --fail-fast 'End with the first run that does not succeed'
            cand --reply 'Print only the assistant''s text; implies following'
            cand --follow 'Print new messages as they appear'
            cand --events 'Print a stream of JSON events instead of runs'
            cand --strict 'Count a truncated run as failed (exit 1)'
            cand --exit-status 'Accepted for those who are used to it; the exit code always tells'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;messages'= {
            cand --type 'Only messages of these types, such as assistant_message'
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand --reply 'Print only the assistant''s text'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;cancel'= {
            cand --timeout 'How long to wait for the runs to end'
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;agents'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand list 'List agents, newest first'
            cand show 'Show agents'
            cand create 'Create an agent'
            cand delete 'Delete agents, with their runs and messages'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'agentctl;agents;list'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;agents;show'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;agents;create'= {
            cand --name 'Its name'
            cand --model 'Its model, such as openai/gpt-4o-mini [default with --local: agentctl/echo]'
            cand --system 'Its system prompt'
            cand --agent-type 'Its kind [server''s default: letta_v1_agent]'
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;agents;delete'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;agents;help'= {
            cand list 'List agents, newest first'
            cand show 'Show agents'
            cand create 'Create an agent'
            cand delete 'Delete agents, with their runs and messages'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'agentctl;agents;help;list'= {
        }
        &'agentctl;agents;help;show'= {
        }
        &'agentctl;agents;help;create'= {
        }
        &'agentctl;agents;help;delete'= {
        }
        &'agentctl;agents;help;help'= {
        }
        &'agentctl;completions'= {
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;man'= {
            cand --out 'Write a page for each command into this folder'
            cand -o 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --output 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]'
            cand --progress 'How to show progress on standard error'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --base-url 'The server''s address [env: LETTA_BASE_URL]'
            cand --api-key-file 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]'
            cand --ca-cert 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]'
            cand --request-timeout 'How long one request may take [default: 30s to read, 60s to send]'
            cand -q 'Print neither progress nor notices'
            cand --quiet 'Print neither progress nor notices'
            cand -v 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --verbose 'Say where settings came from and what goes over the wire; twice: bodies too'
            cand --utc 'Print times in UTC as RFC 3339'
            cand --local 'Use the engine inside this program: no server, no account'
            cand --allow-plain-http 'Let the key go over plain http to public addresses'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'agentctl;help'= {
            cand send 'Send a message to an agent and print the run'
            cand status 'Show runs as they are now'
            cand watch 'Follow runs until they end'
            cand messages 'Show the messages of a run'
            cand cancel 'Cancel runs, then show what they really became'
            cand agents 'List, show, create or delete agents'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'agentctl;help;send'= {
        }
        &'agentctl;help;status'= {
        }
        &'agentctl;help;watch'= {
        }
        &'agentctl;help;messages'= {
        }
        &'agentctl;help;cancel'= {
        }
        &'agentctl;help;agents'= {
            cand list 'List agents, newest first'
            cand show 'Show agents'
            cand create 'Create an agent'
            cand delete 'Delete agents, with their runs and messages'
        }
        &'agentctl;help;agents;list'= {
        }
        &'agentctl;help;agents;show'= {
        }
        &'agentctl;help;agents;create'= {
        }
        &'agentctl;help;agents;delete'= {
        }
        &'agentctl;help;completions'= {
        }
        &'agentctl;help;man'= {
        }
        &'agentctl;help;help'= {
        }
    ]
    $completions[$command]
}
