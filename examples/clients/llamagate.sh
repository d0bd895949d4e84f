#!/bin/sh
# A script written for LlamaGate, as its README has them. Against gatehouse it runs as it is.
set -eu

url=${LLAMAGATE_URL:-http://localhost:11435}
key=${LLAMAGATE_API_KEY:-sk-llamagate}
model=${LLAMAGATE_MODEL:-mistral}

curl="curl --silent --show-error --fail-with-body"
json="Content-Type: application/json"

echo "# is it there?"
$curl "$url/health"

echo; echo "# its models, the key in LlamaGate's own header"
$curl "$url/v1/models" -H "X-API-Key: $key"

echo; echo "# a chat, the key as a bearer"
$curl "$url/v1/chat/completions" -H "Authorization: Bearer $key" -H "$json" -d '{
  "model": "'"$model"'",
  "messages": [{"role": "user", "content": "Hello, how are you?"}]
}'

echo; echo "# a stream"
$curl --no-buffer "$url/v1/chat/completions" -H "X-API-Key: $key" -H "$json" -d '{
  "model": "'"$model"'",
  "messages": [{"role": "user", "content": "Tell me a story"}],
  "stream": true
}'

echo; echo "# a request id that comes back, for finding the call in the log"
$curl --dump-header - --output /dev/null "$url/v1/chat/completions" -H "X-API-Key: $key" -H "X-Request-ID: my-request-1" -H "$json" -d '{
  "model": "'"$model"'",
  "messages": [{"role": "user", "content": "Who asked?"}],
  "temperature": 0.7
}'

echo; echo "# a wrong key"
curl --silent "$url/v1/models" -H "X-API-Key: wrong"
