import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { AddressRefused, publicLookup } from '../../src/provider/public-lookup.ts';

const PUBLIC = { address: '93.184.215.14', family: 4 };
const PUBLIC_6 = { address: '2606:4700::1', family: 6 };

function lookUp(found: LookupAddress[] | NodeJS.ErrnoException, options = { all: true }): Promise<unknown[]> {
  const lookup = publicLookup((_hostname, _options, callback) =>
    found instanceof Error ? callback(found, []) : callback(null, found),
  );
  return new Promise((resolve) => lookup('pictures.example', options, (...answered) => resolve(answered)));
}

test('a name that has public addresses only is let through', async () => {
  expect(await lookUp([PUBLIC, PUBLIC_6])).toEqual([null, [PUBLIC, PUBLIC_6]]);
});

test('a connection that wants one address is given the first', async () => {
  expect(await lookUp([PUBLIC, PUBLIC_6], { all: false })).toEqual([null, PUBLIC.address, 4]);
});

test('one address that is not public spoils the name', async () => {
  const [error] = await lookUp([PUBLIC, { address: '169.254.169.254', family: 4 }]);
  expect(error).toBeInstanceOf(AddressRefused);
  expect(String(error)).not.toContain('169.254');
});

test('the addresses after the first are judged as well when one is wanted', async () => {
  const [error] = await lookUp([PUBLIC, { address: '::1', family: 6 }], { all: false });
  expect(error).toBeInstanceOf(AddressRefused);
});

test('a name without an address is an error', async () => {
  expect((await lookUp([]))[0]).toBeInstanceOf(Error);
});

test('an error of the resolver is handed on', async () => {
  const failure = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  expect((await lookUp(failure))[0]).toBe(failure);
});
