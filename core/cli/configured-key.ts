import type { LoadedConfig } from '../config/load.ts'
import { GatewayError } from '../errors.ts'

/** Where the admin key is set: `environment ADMIN_API_KEY`, or a file. Undefined when it is not. */
export const placeOfAdminKey = ({ config, sources }: Pick<LoadedConfig, 'config' | 'sources'>): string | undefined =>
  config.admin.api_key === undefined ? undefined : (sources.get('admin.api_key') ?? 'the config')

/** Refuses to make another key than the one that is set. Clients learn no paths. */
export const keyIsSet = (place: string): GatewayError =>
  new GatewayError(
    409,
    'invalid_request_error',
    'admin_key_is_set',
    `The admin key is set by ${/^(environment|\.env) /.test(place) ? place : 'the config file'} of that gatehouse. Change it there.`,
  )
