import { definePlugin, type Route, v } from 'gatehouse'
import { answer } from './answers.ts'
import { auditRoute } from './audit-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { modelRoutes } from './model-routes.ts'
import { syncRoute } from './sync-routes.ts'
import { usageRoutes } from './usage-routes.ts'

/** The admin API: keys, models, usage, audit. It adds routes and no layer. */
export default definePlugin({
  name: 'admin',
  // the section called `admin` in the config file holds the admin key, which is not for this plugin
  options: v.strictObject({}),
  setup(_, gateway) {
    const routes = [
      verifyRoute,
      ...keyRoutes(gateway),
      syncRoute(gateway),
      ...modelRoutes(gateway),
      ...usageRoutes(gateway),
      auditRoute(gateway),
    ]
    for (const route of routes) gateway.addRoute(route)
    return {}
  },
})

/** For whoever wants to know whether a key is the admin key. */
const verifyRoute: Route = {
  method: 'GET',
  path: '/admin/verify',
  access: 'admin',
  limited: true,
  body: 'none',
  handle: () => answer({ ok: true }),
}
