/**
 * The kinds of settings that a user writes in words: durations, sizes, secrets. Each reads its text,
 * says what is wrong with it, and becomes what the server works with. Used by every settings-*.ts.
 */
import { z } from 'zod'
import { checkDomain } from '../../account/address.ts'
import { parseLiteral } from '../../smtp/domain.ts'
import { parseDuration, parseSize } from '../../wire/measure.ts'
import { baseOf, formatNetwork, parseNetwork } from '../../wire/network.ts'

/** A time with its unit; becomes ms. */
export const duration = (minMs = 0) =>
  z
    .string()
    .transform((text, context) => {
      const durationMs = parseDuration(text)
      if (durationMs !== undefined && durationMs >= minMs) return durationMs
      const message =
        durationMs === undefined
          ? `"${text}" is no duration: write a number and a unit, such as 30s, 5m, 4h or 5d`
          : `"${text}" is too short: at least ${minMs} ms`
      context.issues.push({ code: 'custom', message, input: text })
      return z.NEVER
    })
    .meta({ unit: 'duration' })

/** A size with its unit, or octets; becomes octets. */
export const size = (min = 1) =>
  z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const octets = parseSize(String(value))
      if (octets !== undefined && octets >= min) return octets
      const message = `"${value}" is no size: write a number of octets, or one with a unit, such as 512KB or 50MB`
      context.issues.push({ code: 'custom', message, input: value })
      return z.NEVER
    })
    .meta({ unit: 'size' })

/** Networks of peers that are trusted with something; addresses alone are networks too. */
export const networks = (usual: readonly string[] = []) =>
  z
    .array(
      z
        .string()
        .transform((text, context) => {
          const network = parseNetwork(text)
          const base = network && formatNetwork(baseOf(network))
          if (network && base === formatNetwork(network)) return network
          const message =
            base === undefined
              ? `"${text}" is no network, such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1`
              : `"${text}" is a host within a network: write ${base}, or the host alone`
          context.issues.push({ code: 'custom', message, input: text })
          return z.NEVER
        })
        .meta({ unit: 'network' }),
    )
    .prefault([...usual])

export const count = (value: number, min = 1) => z.int().min(min).max(10_000_000).default(value)

/** A secret as itself, or where it is to be found; found before validation (layers.ts). */
export const secret = () =>
  z
    .union([
      z.string(),
      z.strictObject({ env: z.string().min(1).describe('The variable that holds it.') }),
      z.strictObject({ file: z.string().min(1).describe('The file that holds it.') }),
    ])
    .transform((value, context) => {
      if (typeof value === 'string') return value
      context.issues.push({ code: 'custom', message: 'the secret was not found', input: value })
      return z.NEVER
    })

/** A domain name as people write it, in A-labels or U-labels; an address literal where a host may be one. */
export const hostname = () =>
  z.string().refine(text => isDomainName(text) || isLiteral(text), {
    error: ({ input }) => `"${String(input)}" is no domain name, such as mail.example.org`,
  })

/** Domains of others: a name, or several by `*`. */
export const domainPattern = () =>
  z.string().refine(text => isDomainName(text.replaceAll('*', 'x')), {
    error: ({ input }) => `"${String(input)}" is no domain, such as example.org or *.example.org`,
  })

/** Labels of letters, digits and hyphens within, of 63 octets (RFC 1123 §2.1), 253 in all without the root (RFC 1035 §2.3.4). */
function isDomainName(text: string): boolean {
  const checked = checkDomain(text)
  return text === text.trim() && 'domain' in checked && checked.domain.length <= 253
}

function isLiteral(text: string): boolean {
  return parseLiteral(text, 0)?.next === text.length
}

export const emailAddress = () =>
  z.string().refine(
    text => {
      const at = text.lastIndexOf('@')
      const domain = text.slice(at + 1)
      return (
        /^[^\s<>]+$/.test(text.slice(0, Math.max(at, 0))) &&
        (isDomainName(domain) || isLiteral(domain))
      )
    },
    { error: ({ input }) => `${JSON.stringify(input)} is no address, such as joe@example.org` },
  )

/** `HOST`, `HOST:PORT`, `[::1]:PORT`; becomes both. */
export const hostPort = (usual: number) =>
  z
    .string()
    .transform((text, context) => {
      const match = /^(\[[^\]]+\]|[^:\s]+)(?::(\d{1,5}))?$/.exec(text)
      const port = Number(match?.[2] ?? usual)
      if (match !== null && port >= 1 && port <= 65_535) {
        return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port }
      }
      const message = `"${text}" is no HOST:PORT, such as relay.example.org:25 or [::1]:25`
      context.issues.push({ code: 'custom', message, input: text })
      return z.NEVER
    })
    .meta({ unit: 'host' })

/** A certificate and its key, as two files. */
export const certificateFiles = () =>
  z.strictObject({
    certificate: z.string().min(1).describe('PEM file: the certificate and its chain.'),
    key: z.string().min(1).describe('PEM file: its private key.'),
  })
