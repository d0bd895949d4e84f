import { Ajv, type AnySchema, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isObject } from './json.ts'

/** What is wrong with the arguments of a call; undefined when nothing is. */
export type CheckArguments = (schema: unknown, args: unknown) => string | undefined

/** Longer complaints help no model. */
const longestComplaint = 1000

/**
 * Checks arguments against the JSON Schema of a tool: 2020-12 unless it names an earlier draft. A schema is made ready when it
 * is first used; one that is none checks nothing, and its server has the last word.
 */
export function createArgumentCheck(onBadSchema: (error: unknown) => void): CheckArguments {
  const ready = new WeakMap<object, ValidateFunction | 'none'>()

  const compile = (schema: object): ValidateFunction | 'none' => {
    try {
      const { $schema: draft, $id: _, ...rest } = schema as { readonly $schema?: unknown; readonly $id?: unknown }
      const earlier = typeof draft === 'string' && /draft-0\d/.test(draft)
      // one for each schema: it keeps whatever it has compiled, and schemas come and go
      const ajv = earlier ? new Ajv(lenient) : new Ajv2020(lenient)
      return ajv.compile(rest as AnySchema)
    } catch (error) {
      onBadSchema(error)
      return 'none'
    }
  }

  return (schema, args) => {
    if (!isObject(schema)) return
    let check = ready.get(schema)
    if (!check) {
      check = compile(schema)
      ready.set(schema, check)
    }
    if (check === 'none' || check(args)) return
    const complaints = (check.errors ?? []).map(({ instancePath, message, params }) => {
      const more =
        'additionalProperty' in params ? ` ('${params.additionalProperty}')` : 'allowedValues' in params ? ` (${params.allowedValues})` : ''
      return `arguments${instancePath} ${message}${more}`
    })
    return complaints.join(', ').slice(0, longestComplaint)
  }
}

/** Servers write words into their schemas that no draft knows, and formats that are only a hint. */
const lenient = { strict: false, allErrors: true, validateFormats: false, validateSchema: false, logger: false } as const
