/** The nouns of mail (RFC 5598, 5321, 3463): what every other room speaks of. */
export * from './address.ts'
export * from './deliver-by.ts'
export * from './envelope.ts'
export * from './outcome.ts'
export * from './solicitation.ts'
export * from './status.ts'
export * from './trace.ts'
export * from './verdict.ts'
