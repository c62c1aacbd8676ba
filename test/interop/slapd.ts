/** OpenLDAP's slapd on a folder and a port of its own, with two people and a group. */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, until } from './program.ts'

export interface Slapd {
  readonly url: string
  stop(): void
}

const CONFIG = (folder: string) => `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=demo,dc=test"
rootdn "cn=admin,dc=demo,dc=test"
rootpw adminpw
directory ${folder}/db
`

const PEOPLE = `dn: dc=demo,dc=test
objectClass: dcObject
objectClass: organization
o: demo
dc: demo

dn: ou=people,dc=demo,dc=test
objectClass: organizationalUnit
ou: people

dn: uid=dan,ou=people,dc=demo,dc=test
objectClass: inetOrgPerson
uid: dan
cn: Dan (the *man*)
sn: Dan
mail: dan@demo.test
labeledURI: daniel@demo.test
userPassword: dänpw

dn: uid=eve,ou=people,dc=demo,dc=test
objectClass: inetOrgPerson
uid: eve
cn: Eve
sn: Eve
mail: eve@demo.test
userPassword: evepw

dn: cn=mail,dc=demo,dc=test
objectClass: groupOfNames
cn: mail
member: uid=dan,ou=people,dc=demo,dc=test
`

export async function startSlapd(folder: string, port: number): Promise<Slapd> {
  mkdirSync(join(folder, 'db'), { recursive: true })
  const [config, people] = [join(folder, 'slapd.conf'), join(folder, 'people.ldif')]
  writeFileSync(config, CONFIG(folder))
  writeFileSync(people, PEOPLE)
  const url = `ldap://127.0.0.1:${port}`
  const child = spawn('/usr/sbin/slapd', ['-f', config, '-h', `${url}/`, '-d', '0'], {
    stdio: 'ignore',
  })
  const admin = ['-x', '-H', url, '-D', 'cn=admin,dc=demo,dc=test', '-w', 'adminpw']
  await until('slapd', async () => {
    const added = await run('ldapadd', [...admin, '-c', '-f', people])
    return added.code === 0 || added.text.includes('Already exists') ? true : undefined
  })
  return { url, stop: () => void child.kill() }
}
