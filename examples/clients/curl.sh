#!/bin/sh
# curl against gatehouse: the same calls as the other examples, byte for byte on the wire.
#
#     gatehouse demo &
#     sh examples/clients/curl.sh
set -eu

url=${OPENAI_BASE_URL:-http://localhost:11435/v1}
key=${OPENAI_API_KEY:-any key}
model=${MODEL:-echo}

# call PATH [BODY]: an answer of 400 or more is a failure, and its body says why
call() {
  printf '\n# %s\n' "$1"
  path=$1
  shift
  if [ $# -gt 0 ]; then set -- -H 'Content-Type: application/json' -d "$1"; fi
  curl --silent --show-error --fail-with-body --no-buffer -H "Authorization: Bearer $key" "$@" "$url/$path"
  echo
}

call models

call chat/completions '{
  "model": "'"$model"'",
  "messages": [{ "role": "user", "content": "Say hello to the gatehouse." }]
}'

call chat/completions '{
  "model": "'"$model"'",
  "messages": [{ "role": "user", "content": "Count from one to five." }],
  "stream": true,
  "stream_options": { "include_usage": true }
}'

call chat/completions '{
  "model": "'"$model"'",
  "messages": [{ "role": "user", "content": "What is the weather in Paris?" }],
  "tools": [{
    "type": "function",
    "function": {
      "name": "weather",
      "parameters": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] }
    }
  }]
}'

call chat/completions '{
  "model": "'"$model"'",
  "messages": [
    { "role": "system", "content": "Answer with the person as JSON." },
    { "role": "user", "content": "{\"name\": \"Ada Lovelace\", \"born\": 1815}" }
  ],
  "response_format": {
    "type": "json_schema",
    "json_schema": {
      "name": "person",
      "schema": {
        "type": "object",
        "properties": { "name": { "type": "string" }, "born": { "type": "integer" } },
        "required": ["name", "born"]
      }
    }
  }
}'

call embeddings '{ "model": "'"$model"'", "input": ["a gate", "a house"] }'
