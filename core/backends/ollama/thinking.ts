import { invalidRequest } from '../../errors.ts'
import { isObject } from '../../http/json-object.ts'
import { isBoolean, isString, type Json, optional } from './values.ts'

/**
 * OpenAI's efforts as Ollama's `think`, as Ollama itself translates them (openai/openai.go, thinkFromReasoningEffort):
 * what lies beyond its scale becomes the nearest step.
 */
const efforts: Readonly<Record<string, boolean | string>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'max',
  ultra: 'max',
  max: 'max',
}

/** The fields of a request that say how much the model may think. */
export const thinkFields = ['think', 'reasoning', 'reasoning_effort'] as const

/** Ollama's `think`; nothing when the client said nothing, which leaves it to the model. */
export function toThink(payload: Json): { readonly think?: boolean | string } {
  const think = optional(payload, 'think', isBooleanOrString)
  if (think !== undefined) return { think }
  const reasoning = optional(payload, 'reasoning', isObject)
  if (reasoning) {
    const effort = optional(reasoning, 'effort', isString, 'reasoning.effort')
    if (effort !== undefined) return { think: fromEffort(effort, 'reasoning.effort') }
  }
  const effort = optional(payload, 'reasoning_effort', isString)
  return effort === undefined ? {} : { think: fromEffort(effort, 'reasoning_effort') }
}

function fromEffort(effort: string, param: string): boolean | string {
  const think = Object.hasOwn(efforts, effort) ? efforts[effort] : undefined
  if (think === undefined) throw invalidRequest(`Use one of ${Object.keys(efforts).join(', ')}.`, 'invalid_value', param)
  return think
}

const isBooleanOrString = (value: unknown): value is boolean | string => isBoolean(value) || isString(value)
