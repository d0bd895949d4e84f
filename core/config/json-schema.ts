import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema'
import { fileSchema } from './schema.ts'
import { kindKey } from './settings.ts'

type Json = ReturnType<typeof toJsonSchema>

/** gatehouse.yaml as a JSON Schema, for editors. Draft 7, the one that yaml-language-server knows best. */
export function configJsonSchema(): Json {
  const schema = toJsonSchema(fileSchema, {
    target: 'draft-07',
    // what it cannot express is checked at the start, and the metadata of each setting says the rest
    errorMode: 'ignore',
    overrideAction,
    overrideSchema,
  })
  return {
    ...schema,
    // an empty file is one with nothing set
    type: ['object', 'null'] as never,
    title: 'gatehouse.yaml',
    description: 'Settings of gatehouse. Those of a plugin of your own stand under its name.',
    // plugins have sections of their own there
    additionalProperties: true,
  }
}

const overrideAction: NonNullable<ConversionConfig['overrideAction']> = ({ valibotAction, jsonSchema }) => {
  // a list may be written as text, so that the converter takes its length for that of a text
  if (valibotAction.type === 'min_length') {
    const { minLength, ...rest } = jsonSchema
    return { ...rest, minItems: minLength }
  }
  if (valibotAction.type !== 'metadata') return undefined
  const { metadata } = valibotAction as unknown as { readonly metadata: Record<string, unknown> }
  const { [kindKey]: _, ...known } = { ...jsonSchema, ...metadata } as Record<string, unknown>
  return known as Json
}

const overrideSchema: NonNullable<ConversionConfig['overrideSchema']> = ({ valibotSchema: { type }, jsonSchema }) => {
  // a key without a value counts as not set
  if (type === 'optional') return orNull(jsonSchema)
  // an address that is a variable fits several kinds of backend
  if (type === 'variant') return { anyOf: jsonSchema.oneOf ?? [] }
  if (jsonSchema.required?.length === 0) delete jsonSchema.required
  return undefined
}

function orNull(schema: Json): Json {
  if (schema.anyOf) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  return schema.type === undefined ? schema : { ...schema, type: [schema.type, 'null'].flat() as never }
}
