import type { Route } from '../gateway.ts'
import { version } from '../version.ts'

/** `/`: a page for people, JSON for programs. The panel takes the page's place in a later release. */
export const homeRoute = (): Route => ({
  method: 'GET',
  path: '/',
  access: 'open',
  limited: false,
  body: 'none',
  handle({ request, url }) {
    if (request.headers.get('accept')?.includes('text/html')) {
      return new Response(page(url.origin), {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
          'x-content-type-options': 'nosniff',
        },
      })
    }
    return Response.json({ name: 'gatehouse', version, openai_base_url: `${url.origin}/v1`, health: '/health', models: '/v1/models' })
  },
})

const page = (origin: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>gatehouse</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif }
  body { max-width: 42rem; margin: 4rem auto; padding: 0 1rem }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: .5rem }
</style>
<h1>gatehouse</h1>
<p>This is the front door for the language models of this machine. It speaks the OpenAI API:</p>
<pre>base_url = "${escapeHtml(origin)}/v1"</pre>
<ul>
  <li><a href="/v1/models">/v1/models</a>: the models (needs a key, when one is set)</li>
  <li><a href="/health">/health</a>: whether the backends answer</li>
</ul>
<p>gatehouse ${version}</p>
</html>
`

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
