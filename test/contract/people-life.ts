/** Domains, accounts, aliases and what logs in to them (src/account), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as alias from '../../src/account/alias-writer.ts'
import * as app from '../../src/account/app-writer.ts'
import * as identity from '../../src/account/identity-row.ts'
import * as accountReader from '../../src/account/reader.ts'
import * as account from '../../src/account/writer.ts'
import type { Witness } from './life.ts'

/** App passwords come and go; a login keeps its password in other forms, unless it was changed meanwhile. */
async function credentials(w: Witness): Promise<void> {
  const address = 'joe@example.org'
  const sha256 = [{ kind: 'sha256', verifier: 'x' }] as const
  const phone = { address, id: 'a1', label: 'phone', scopes: 'smtp imap', verifiers: sha256 }
  await w.write(app.addApp, phone)
  await w.write(app.addApp, phone)
  await w.write(app.addApp, { ...phone, id: 'a2', label: "' OR 1=1 --", scopes: 'pop3' })
  await w.write(app.addApp, { ...phone, address: 'nobody@example.org' })
  await w.write(app.appUsed, 'a1')
  for (const id of [1, 99]) await w.read(accountReader.addressOfAccount, id)
  await w.read(accountReader.findLogin, address)
  await w.read(accountReader.listApps, address)
  await w.read(accountReader.listApps, 'nobody@example.org')
  await w.write(app.removeApp, { address, named: "' OR 1=1 --" })
  await w.write(app.removeApp, { address, named: 'tablet' })
  for (const pattern of ['@lab.example', "'@*", '@lab.example'])
    await w.write(identity.addIdentity, { address, pattern, delegate: pattern !== "'@*" })
  await w.write(identity.addIdentity, { address: 'no@x', pattern: '@x', delegate: false })
  for (const id of [1, 99]) await w.read(identity.identitiesOf, id)
  for (const pattern of ["'@*", '@gone.example'])
    await w.write(identity.removeIdentity, { address, pattern })
  for (const each of [address, 'no@x']) await w.read(identity.listIdentities, each)
  const row = await w.read(accountReader.findLogin, address)
  const by = { kind: 'argon2id', verifier: 'v' } as const
  for (const old of [by, { ...by, verifier: 'w' }])
    await w.write(account.upgradeVerifiers, {
      ...{ accountId: row?.id ?? 0, by: old },
      verifiers: [by, { kind: 'scram-sha-256', verifier: 's' }],
    })
  await w.read(accountReader.findLogin, address)
}

export async function peopleLife(w: Witness): Promise<void> {
  const domain = { name: 'example.org', catchAll: null }
  await w.write(account.addDomain, domain)
  await w.write(account.addDomain, domain)
  await w.write(account.setCatchAll, { ...domain, catchAll: 'joe@example.org' })
  const verifiers = [{ kind: 'argon2id', verifier: 'v' }] as never
  for (const address of [
    'joe@example.org',
    'Ärger@example.org',
    'jane@example.org',
    'joe@example.org',
  ])
    await w.write(account.addAccount, { address, domain: 'example.org', verifiers })
  await w.write(account.setVerifiers, { address: 'joe@example.org', verifiers })
  await w.write(account.setDisabled, { address: 'jane@example.org', disabled: true })
  for (const address of ['joe@example.org', 'nobody@example.org'])
    await w.write(account.setQuota, { address, quotaOctets: 5_000, quotaMessages: null })
  await w.read(accountReader.findAccount, 'joe@example.org')
  await w.read(accountReader.findAccount, 'nobody@example.org')
  for (const id of [1, 99]) await w.read(accountReader.addressOfAccount, id)
  await credentials(w)
  const list = { address: 'list@example.org', domain: 'example.org' }
  await w.write(alias.addAlias, {
    ...list,
    targets: ['joe@example.org', 'B@else.test', 'B@else.test'],
  })
  await w.write(alias.removeAlias, { address: 'list@example.org', targets: ['b@ELSE.test'] })
  await w.write(alias.declare, {
    domains: [{ name: 'example.net', catchAll: null }],
    aliases: [
      { address: 'a@example.net', domain: 'example.net', targets: ['x@y.test', 'x@y.test'] },
    ],
  })
  await w.read(accountReader.addressSince, { key: 'joe@example.org', base: 'joe@example.org' })
  await w.read(accountReader.addressSince, { key: 'joe+x@example.org', base: 'joe@example.org' })
  await w.read(accountReader.addressSince, { key: 'a@example.net', base: 'a@example.net' })
  assert.equal(
    await w.read(accountReader.addressSince, { key: 'no@example.org', base: 'no@example.org' }),
    undefined,
  )
  // What the file declares again keeps the time it was made at.
  const made = { key: 'a@example.net', base: 'a@example.net' }
  const before = await w.read(accountReader.addressSince, made)
  await new Promise(resolve => setTimeout(resolve, 3))
  await w.write(alias.declare, {
    domains: [{ name: 'example.net', catchAll: null }],
    aliases: [
      { address: 'a@example.net', domain: 'example.net', targets: ['x@y.test'] },
      { address: 'b@example.net', domain: 'example.net', targets: ['x@y.test'] },
    ],
  })
  assert.equal(await w.read(accountReader.addressSince, made), before)
  await w.write(alias.declare, {
    domains: [{ name: 'example.net', catchAll: null }],
    aliases: [{ address: 'a@example.net', domain: 'example.net', targets: ['z@y.test'] }],
  })
  const replaced = await w.read(accountReader.addressSince, made)
  assert.ok((replaced ?? 0) > (before ?? 0))
  await w.write(account.removeDomain, 'example.org')
  await w.write(account.removeDomain, 'example.net')
  await w.write(account.keepSetting, { name: 's', value: 'one' })
  await w.write(account.keepSetting, { name: 's', value: 'two' })
  for (const key of ['joe@example.org', 'list@example.org', 'nobody@example.org', 'a@b.test']) {
    const base = { key, base: key, domain: key.slice(key.indexOf('@') + 1), targetsMax: 2 }
    await w.read(accountReader.findAddress, base)
    await w.read(accountReader.findLogin, key)
  }
  await w.read(accountReader.firstAccount, null)
  for (const id of [1, 999]) await w.read(accountReader.addressOfAccount, id)
  for (const local of ['alice', 'team', 'al', 'nobody', '']) {
    await w.read(accountReader.findNamesakes, local)
  }
  await w.read(accountReader.listDomains, null)
  const page = { domain: 'example.org', after: '', limit: 10 }
  await w.read(accountReader.listAccounts, page)
  await w.read(accountReader.listFewAccounts, page)
  await w.read(accountReader.listAliases, { ...page, domain: '', afterTarget: '' })
}
