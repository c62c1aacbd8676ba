/**
 * Peers that nobody installs: a package of the distribution is unpacked, one of npm is put, with what it needs, into a
 * folder of the bench below the temporary folder. It stays there for the next time. What cannot be had is undefined.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../program.ts'

const CACHE = process.env['BENCH_CACHE'] ?? join(tmpdir(), 'postrider-bench-peers')

/** The folder below which that package of the distribution, and those that it needs, lie unpacked. */
export async function unpacked(name: string, libraries: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const folder = join(CACHE, name)
  const done = join(folder, '.whole')
  if (existsSync(done)) return folder
  mkdirSync(folder, { recursive: true })
  try {
    // Libraries start nothing. The server itself would drive another out, or start.
    const quiet = 'DEBIAN_FRONTEND=noninteractive apt-get -q'
    await sh(`${quiet} install -y --no-install-recommends ${libraries}`)
    await sh(`cd ${folder} && apt-get -q download ${name}`)
    for (const file of globSync(`${name}_*.deb`, { cwd: folder })) {
      await sh(`cd ${folder} && dpkg -x ${file} . && rm ${file}`)
    }
    writeFileSync(done, '')
    return folder
  } catch {
    return undefined
  }
}

/** The folder of a package of npm, of this very version. */
export async function fromNpm(name: string, version: string): Promise<string | undefined> {
  const folder = join(CACHE, `${name}-${version}`)
  const inside = join(folder, 'node_modules', name)
  const done = join(folder, '.whole')
  if (existsSync(done)) return inside
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  try {
    const flags = '--no-audit --no-fund --ignore-scripts --omit=optional --loglevel=error'
    await sh(`cd ${folder} && npm install ${flags} ${name}@${version}`)
    writeFileSync(done, '')
    return inside
  } catch {
    return undefined
  }
}

/** The version of what was unpacked. */
export async function debianVersion(name: string): Promise<string> {
  const text = await run('apt-cache', ['policy', name]).catch(() => '')
  return /Candidate: (?:\d+:)?([\d.]+(?:p\d+)?)/.exec(text)?.[1] ?? ''
}

export function npmVersion(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return String(version)
}

async function sh(line: string): Promise<void> {
  await run('sh', ['-c', line], 180_000)
}
