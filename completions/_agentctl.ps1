
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'agentctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'agentctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'agentctl' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Send a message to an agent and print the run')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show runs as they are now')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Follow runs until they end')
            [CompletionResult]::new('messages', 'messages', [CompletionResultType]::ParameterValue, 'Show the messages of a run')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Cancel runs, then show what they really became')
            [CompletionResult]::new('agents', 'agents', [CompletionResultType]::ParameterValue, 'List, show, create or delete agents')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'agentctl;send' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'The agent, by id or by name [env: LETTA_AGENT_ID] [default with --local: default]')
            [CompletionResult]::new('--agent', '--agent', [CompletionResultType]::ParameterName, 'The agent, by id or by name [env: LETTA_AGENT_ID] [default with --local: default]')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'A message''s text; may be given more than once')
            [CompletionResult]::new('--message', '--message', [CompletionResultType]::ParameterName, 'A message''s text; may be given more than once')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Read a message''s text from a file, or from standard input with -')
            [CompletionResult]::new('--message-file', '--message-file', [CompletionResultType]::ParameterName, 'Read a message''s text from a file, or from standard input with -')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Add an image, a file or a URL, to the last message')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role of the messages')
            [CompletionResult]::new('--body', '--body', [CompletionResultType]::ParameterName, 'Read the request from a JSON file, or from standard input with -')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Set any field of the request to a text; dots go into objects')
            [CompletionResult]::new('--set-json', '--set-json', [CompletionResultType]::ParameterName, 'Set any field of the request to a JSON value')
            [CompletionResult]::new('--max-steps', '--max-steps', [CompletionResultType]::ParameterName, 'The most steps that the agent may take [server''s default: 50]')
            [CompletionResult]::new('--use-assistant-message', '--use-assistant-message', [CompletionResultType]::ParameterName, 'Turn the tool call by which older agents speak into an assistant message')
            [CompletionResult]::new('--assistant-message-tool-name', '--assistant-message-tool-name', [CompletionResultType]::ParameterName, 'The name of that tool [server''s default: send_message]')
            [CompletionResult]::new('--assistant-message-tool-kwarg', '--assistant-message-tool-kwarg', [CompletionResultType]::ParameterName, 'The argument of that tool which holds the text [server''s default: message]')
            [CompletionResult]::new('--include-return-message-types', '--include-return-message-types', [CompletionResultType]::ParameterName, 'Keep only messages of these types in the run''s messages')
            [CompletionResult]::new('--return-types', '--return-types', [CompletionResultType]::ParameterName, 'Keep only messages of these types in the run''s messages')
            [CompletionResult]::new('--enable-thinking', '--enable-thinking', [CompletionResultType]::ParameterName, 'Ask for the agent''s reasoning')
            [CompletionResult]::new('--callback-url', '--callback-url', [CompletionResultType]::ParameterName, 'Where the server posts the end of the run to')
            [CompletionResult]::new('--override-model', '--override-model', [CompletionResultType]::ParameterName, 'Use this model for this run, such as openai/gpt-4o-mini')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop following after this long; the run goes on (exit 124)')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Look at this interval instead of one that grows with the run''s age')
            [CompletionResult]::new('--max-outage', '--max-outage', [CompletionResultType]::ParameterName, 'How long the server may fail to answer, in a row (exit 124) [default: 5m]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('--when-idle', '--when-idle', [CompletionResultType]::ParameterName, 'Wait until the agent has no active run, then send')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Print the request as JSON instead of sending it')
            [CompletionResult]::new('--curl', '--curl', [CompletionResultType]::ParameterName, 'Print the request as a curl command instead of sending it')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Follow the run until it ends, with progress')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Follow the run until it ends, without progress')
            [CompletionResult]::new('--reply', '--reply', [CompletionResultType]::ParameterName, 'Print only the assistant''s text; implies following')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Print new messages as they appear')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print a stream of JSON events instead of runs')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Count a truncated run as failed (exit 1)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;status' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'Let the exit code tell how the runs are')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;watch' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Follow all active runs of this agent')
            [CompletionResult]::new('--agent', '--agent', [CompletionResultType]::ParameterName, 'Follow all active runs of this agent')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop following after this long; the run goes on (exit 124)')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Look at this interval instead of one that grows with the run''s age')
            [CompletionResult]::new('--max-outage', '--max-outage', [CompletionResultType]::ParameterName, 'How long the server may fail to answer, in a row (exit 124) [default: 5m]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('--any', '--any', [CompletionResultType]::ParameterName, 'End with the first run that ends')
            [CompletionResult]::new('--fail-fast', '--fail-fast', [CompletionResultType]::ParameterName, 'End with the first run that does not succeed')
            [CompletionResult]::new('--reply', '--reply', [CompletionResultType]::ParameterName, 'Print only the assistant''s text; implies following')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Print new messages as they appear')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print a stream of JSON events instead of runs')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Count a truncated run as failed (exit 1)')
            [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'Accepted for those who are used to it; the exit code always tells')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;messages' {
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only messages of these types, such as assistant_message')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('--reply', '--reply', [CompletionResultType]::ParameterName, 'Print only the assistant''s text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;cancel' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the runs to end')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;agents' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List agents, newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show agents')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Create an agent')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete agents, with their runs and messages')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'agentctl;agents;list' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;agents;show' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;agents;create' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Its name')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Its model, such as openai/gpt-4o-mini [default with --local: agentctl/echo]')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Its system prompt')
            [CompletionResult]::new('--agent-type', '--agent-type', [CompletionResultType]::ParameterName, 'Its kind [server''s default: letta_v1_agent]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;agents;delete' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;agents;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List agents, newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show agents')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Create an agent')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete agents, with their runs and messages')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'agentctl;agents;help;list' {
            break
        }
        'agentctl;agents;help;show' {
            break
        }
        'agentctl;agents;help;create' {
            break
        }
        'agentctl;agents;help;delete' {
            break
        }
        'agentctl;agents;help;help' {
            break
        }
        'agentctl;completions' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;man' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write a page for each command into this folder')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'How to show progress on standard error')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]')
            [CompletionResult]::new('--base-url', '--base-url', [CompletionResultType]::ParameterName, 'The server''s address [env: LETTA_BASE_URL]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too [env: SSL_CERT_FILE]')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long one request may take [default: 30s to read, 60s to send]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print neither progress nor notices')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say where settings came from and what goes over the wire; twice: bodies too')
            [CompletionResult]::new('--utc', '--utc', [CompletionResultType]::ParameterName, 'Print times in UTC as RFC 3339')
            [CompletionResult]::new('--local', '--local', [CompletionResultType]::ParameterName, 'Use the engine inside this program: no server, no account')
            [CompletionResult]::new('--allow-plain-http', '--allow-plain-http', [CompletionResultType]::ParameterName, 'Let the key go over plain http to public addresses')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'agentctl;help' {
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Send a message to an agent and print the run')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show runs as they are now')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Follow runs until they end')
            [CompletionResult]::new('messages', 'messages', [CompletionResultType]::ParameterValue, 'Show the messages of a run')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Cancel runs, then show what they really became')
            [CompletionResult]::new('agents', 'agents', [CompletionResultType]::ParameterValue, 'List, show, create or delete agents')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'agentctl;help;send' {
            break
        }
        'agentctl;help;status' {
            break
        }
        'agentctl;help;watch' {
            break
        }
        'agentctl;help;messages' {
            break
        }
        'agentctl;help;cancel' {
            break
        }
        'agentctl;help;agents' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List agents, newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show agents')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Create an agent')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete agents, with their runs and messages')
            break
        }
        'agentctl;help;agents;list' {
            break
        }
        'agentctl;help;agents;show' {
            break
        }
        'agentctl;help;agents;create' {
            break
        }
        'agentctl;help;agents;delete' {
            break
        }
        'agentctl;help;completions' {
            break
        }
        'agentctl;help;man' {
            break
        }
        'agentctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
