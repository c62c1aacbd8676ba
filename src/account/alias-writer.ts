/**
 * What changes aliases, and what makes the rows of origin 'file' be what the config declares.
 * Inputs are checked and canonical (accounts.ts does that).
 */
import { writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import { type Change, done, type NewDomain, type Refused, refused } from './writer.ts'

export interface AliasInput {
  readonly address: string
  readonly domain: string
  readonly targets: readonly string[]
}

/** Adds targets to an alias, or makes one. Targets that are there already are no error beside new ones. */
export const addAlias = writer<AliasInput, Change>(
  'account/addAlias',
  async (tx, { address, domain, targets }) => {
    if (!(await tx.get('SELECT name FROM domain WHERE name = ?1', domain)))
      return refused('missing', `there is no domain ${domain} here; add it first`)
    if (await tx.get('SELECT id FROM account WHERE address = ?1', address))
      return refused('exists', `${address} is an account`)
    if (await inFile(tx, address)) return declared(address)
    let added = 0
    for (const target of targets) {
      added += await tx.run(
        `INSERT INTO alias (address, target, origin, created_at) VALUES (?1, ?2, 'rows', :now)
         ON CONFLICT (address, target) DO NOTHING`,
        address,
        target,
      )
    }
    return added > 0 ? done : refused('exists', `${address} leads there already`)
  },
)

/** Removes targets of an alias; without any, the whole alias. */
export const removeAlias = writer<
  { readonly address: string; readonly targets: readonly string[] },
  Change
>('account/removeAlias', async (tx, { address, targets }) => {
  if (await inFile(tx, address)) return declared(address)
  let removed = 0
  if (targets.length === 0) removed = await tx.run('DELETE FROM alias WHERE address = ?1', address)
  for (const target of targets) {
    removed += await tx.run(
      'DELETE FROM alias WHERE address = ?1 AND lower(target) = lower(?2)',
      address,
      target,
    )
  }
  return removed > 0 ? done : refused('missing', `there is no such alias ${address} here`)
})

export interface Declaration {
  readonly domains: readonly NewDomain[]
  readonly aliases: readonly AliasInput[]
}

export type Declared =
  | { readonly kind: 'declared' }
  /** Nothing was changed: every reason why not. */
  | { readonly kind: 'refused'; readonly whys: readonly string[] }

/**
 * Makes the rows of origin 'file' be these and no others. A row of the same key that was added by
 * hand becomes the file's, and goes when the file drops it.
 */
export const declare = writer<Declaration, Declared>(
  'account/declare',
  async (tx, { domains, aliases }) => {
    const whys = await problems(tx, domains, aliases)
    if (whys.length > 0) return { kind: 'refused', whys }
    await dropUndeclared(tx, aliases)
    const names = new Set(domains.map(({ name }) => name))
    const before = await tx.all<{ name: string }>("SELECT name FROM domain WHERE origin = 'file'")
    for (const { name } of before)
      if (!names.has(name)) await tx.run('DELETE FROM domain WHERE name = ?1', name)
    // An upsert: the domain keeps the time it was made at.
    await tx.many(
      `INSERT INTO domain (name, catch_all, origin, created_at) VALUES (?1, ?2, 'file', :now)
       ON CONFLICT (name) DO UPDATE SET catch_all = excluded.catch_all, origin = excluded.origin`,
      domains.map(({ name, catchAll }) => [name, catchAll]),
    )
    await tx.many(
      `INSERT INTO alias (address, target, origin, created_at) VALUES (?1, ?2, 'file', :now)
       ON CONFLICT (address, target) DO UPDATE SET origin = excluded.origin`,
      aliases.flatMap(({ address, targets }) => targets.map(target => [address, target])),
    )
    return { kind: 'declared' }
  },
)

/** Removes what the file has no more; what it still has keeps the time it was made at. */
async function dropUndeclared(tx: Write, aliases: readonly AliasInput[]): Promise<void> {
  const declares = new Set(
    aliases.flatMap(({ address, targets }) => targets.map(target => `${address} ${target}`)),
  )
  const rows = await tx.all<{ address: string; target: string }>(
    "SELECT address, target FROM alias WHERE origin = 'file'",
  )
  await tx.many(
    'DELETE FROM alias WHERE address = ?1 AND target = ?2',
    rows
      .filter(({ address, target }) => !declares.has(`${address} ${target}`))
      .map(({ address, target }) => [address, target]),
  )
}

async function problems(
  tx: Write,
  domains: readonly NewDomain[],
  aliases: readonly AliasInput[],
): Promise<string[]> {
  const rows = await tx.all<{ name: string }>("SELECT name FROM domain WHERE origin = 'rows'")
  const ours = new Set([...domains, ...rows].map(({ name }) => name))
  const whys: string[] = []
  for (const { address, domain } of aliases) {
    if (!ours.has(domain)) {
      const remedy = `write it into \`domains\`, or run 'postrider domain add ${domain}'`
      whys.push(`alias ${address}: there is no domain ${domain} here; ${remedy}`)
    }
    if (await tx.get('SELECT id FROM account WHERE address = ?1', address))
      whys.push(`alias ${address}: there is an account of that name`)
  }
  return whys
}

async function inFile(tx: Write, address: string): Promise<boolean> {
  const row = await tx.get(
    "SELECT target FROM alias WHERE address = ?1 AND origin = 'file' LIMIT 1",
    address,
  )
  return row !== undefined
}

function declared(address: string): Refused {
  return refused('file', `${address} is declared in the configuration file; change it there`)
}
