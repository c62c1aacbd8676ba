/** MIT's krb5kdc on a folder and a port of its own: realm DEMO.TEST with two people and the services of a mail server. */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ran, run, until } from './program.ts'

export interface Kdc {
  /** For every program that is to use it. */
  readonly env: Readonly<Record<string, string>>
  /** Keys of smtp, imap and pop on this host. */
  readonly keytab: string
  /** Keys of a person, and who it is. */
  readonly person: { readonly keytab: string; readonly principal: string }
  /** A cache with a fresh ticket of a person. */
  kinit(name: string, password: string): Promise<Readonly<Record<string, string>>>
  stop(): void
}

export const REALM = 'DEMO.TEST'

const CONFIG = (folder: string, port: number) => `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
    database_name = ${folder}/principal
    key_stash_file = ${folder}/stash
    acl_file = ${folder}/acl
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }
[domain_realm]
  localhost = ${REALM}
  .test = ${REALM}
`

const KDC_CONFIG = (port: number) => `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
`

/** @param people names and their passwords */
export async function startKdc(
  folder: string,
  port: number,
  host: string,
  people: Readonly<Record<string, string>>,
): Promise<Kdc> {
  mkdirSync(folder, { recursive: true })
  const file = (name: string) => join(folder, name)
  writeFileSync(file('krb5.conf'), CONFIG(folder, port))
  writeFileSync(file('kdc.conf'), KDC_CONFIG(port))
  writeFileSync(file('acl'), '')
  const env = { KRB5_CONFIG: file('krb5.conf'), KRB5_KDC_PROFILE: file('kdc.conf') }
  const must = (ran: Ran) => {
    if (ran.code !== 0) throw new Error(ran.text)
  }
  const admin = async (query: string) =>
    must(await run('kadmin.local', ['-r', REALM, '-q', query], { env }))
  must(await run('kdb5_util', ['create', '-s', '-r', REALM, '-P', 'master'], { env }))
  for (const [name, password] of Object.entries(people))
    await admin(`addprinc -pw ${password} ${name}`)
  const services = ['smtp', 'imap', 'pop', 'HTTP'].map(service => `${service}/${host}`)
  for (const service of services) await admin(`addprinc -randkey ${service}`)
  for (const service of services.slice(0, 3)) await admin(`ktadd -k ${file('keytab')} ${service}`)
  const [first = ''] = Object.keys(people)
  await admin(`ktadd -norandkey -k ${file('person')} ${first}`)
  const child = spawn('/usr/sbin/krb5kdc', ['-n', '-r', REALM], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  const kinit = async (name: string, password: string) => {
    const with_ = { ...env, KRB5CCNAME: `FILE:${file(`cache-${name}`)}` }
    const ran = await run('kinit', [`${name}@${REALM}`], { env: with_, input: `${password}\n` })
    must(ran)
    return with_
  }
  await until('krb5kdc', async () => {
    const [name = '', password = ''] = Object.entries(people)[0] ?? []
    return kinit(name, password).catch(() => undefined)
  })
  const person = { keytab: file('person'), principal: `${first}@${REALM}` }
  return { env, keytab: file('keytab'), person, kinit, stop: () => void child.kill() }
}
