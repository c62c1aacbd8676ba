/**
 * What is wrong with a config, said so that it can be put right: the path of the setting, what is
 * the matter and what to do. Turns zod's issues into that; all of them, in the order of the file.
 */
import type { z } from 'zod'
import { field, type Schema } from './schema.ts'

export interface SettingError {
  /** 'queue.retry[1]'; '' is the config as a whole. */
  readonly path: string
  readonly message: string
  /** What to do about it. */
  readonly remedy?: string
}

/** One line for a person: `queue.expire: "5x" is no duration ...`. */
export function formatSettingError(error: SettingError): string {
  const place = error.path === '' ? 'config' : error.path
  return `${place}: ${error.message}${error.remedy === undefined ? '' : `; ${error.remedy}`}`
}

/** All of them under a heading, as `start` and every command tell them. */
export function formatSettingErrors(errors: readonly SettingError[]): string {
  const heading = errors.length === 1 ? 'an error' : `${errors.length} errors`
  const lines = errors.map(error => `  ${formatSettingError(error)}`)
  return `the config has ${heading}:\n${lines.join('\n')}`
}

/** `['queue', 'retry', 1]` as people write it: 'queue.retry[1]'. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w-]+$/.test(String(part))) text += `${text === '' ? '' : '.'}${String(part)}`
    else text += `[${JSON.stringify(String(part))}]`
  }
  return text
}

/** All errors behind zod's issues. `schema` is asked for the names that would have been right. */
export function settingErrors(schema: Schema, issues: readonly z.core.$ZodIssue[]): SettingError[] {
  return issues.flatMap(issue => issueErrors(schema, issue, issue.path))
}

function issueErrors(
  schema: Schema,
  issue: z.core.$ZodIssue,
  path: readonly PropertyKey[],
): SettingError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      path: formatPath([...path, key]),
      message: 'there is no such setting',
      remedy: nameRemedy(schema, path, key),
    }))
  }
  if (issue.code === 'invalid_union') {
    // The branch that got furthest is the one that was meant: it has read the names of the group.
    const isWithin = (inner: z.core.$ZodIssue) =>
      inner.path.length > 0 || inner.code === 'unrecognized_keys'
    const branches = issue.errors.map(branch =>
      branch.some(inner => inner.code === 'unrecognized_keys') ? branch.filter(isWithin) : branch,
    )
    const meant = branches.find(branch => branch.every(isWithin))
    if (meant !== undefined) {
      return meant.flatMap(inner => issueErrors(schema, inner, [...path, ...inner.path]))
    }
    // So is one that takes what was written for what it is, and finds a fault in it.
    const read = issue.errors.flat().filter(inner => inner.code !== 'invalid_type')
    const wanted = (read.length > 0 ? read : issue.errors.flat()).map(issueMessage)
    return [{ path: formatPath(path), message: [...new Set(wanted)].join(', or ') }]
  }
  if (issue.code === 'invalid_key') {
    return [{ path: formatPath(path), message: issue.issues.map(issueMessage).join(', ') }]
  }
  const message = issueMessage(issue)
  const off = issue.code === 'invalid_type' && issue.message.endsWith('received boolean')
  if (off && knownNames(schema, path).includes('enabled')) {
    return [{ path: formatPath(path), message, remedy: 'write { enabled: false } to have none' }]
  }
  return [{ path: formatPath(path), message }]
}

function issueMessage(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && issue.message.endsWith('undefined')
        ? 'is missing'
        : `must be ${article(issue.expected)}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(value => `'${String(value)}'`).join(', ')}`
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? 'must not be empty'
        : `must be at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must have at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'items'}`
        : `must be at most ${issue.maximum}`
    default:
      return issue.message
  }
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of settings',
    record: 'a group of settings',
    string: 'text',
  }
  return names[type] ?? type
}

function knownNames(schema: Schema, path: readonly PropertyKey[]): string[] {
  const found = field(schema, path.map(String))
  return found?.kind === 'object' ? Object.keys(found.shape) : []
}

/** What may have been meant by a name that the group at a path does not have. */
export function nameRemedy(schema: Schema, path: readonly PropertyKey[], name: string): string {
  const known = knownNames(schema, path)
  const near = nearest(name, known)
  if (near !== undefined) return near
  const groups = known.filter(group => knownNames(schema, [...path, group]).includes(name))
  if (groups.length === 1) return `did you mean \`${groups[0]}.${name}\`?`
  return known.length > 0 ? `known are ${known.join(', ')}` : 'remove it'
}

/** 'did you mean `retry`?' for a name that is a slip or two away, or the beginning of what is meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const longer = name.length > 2 ? known.filter(candidate => candidate.startsWith(name)) : []
  let best = longer.length === 1 ? longer[0] : undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? undefined : `did you mean \`${best}\`?`
}

/** In letters left out, put in, replaced, or swapped with the next one. */
function editDistance(from: string, to: string): number {
  let above: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const kept = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swap = swapped ? (above[j - 2] as number) + 1 : kept
      next.push(Math.min(kept, swap, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    above = row
    row = next
  }
  return row[to.length] as number
}
