// The checks with node-pg, which sends parameters apart from the statement, without a type. Each line of checks.txt is
// the name of a check, a function below, and what it says.
'use strict';
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { buffer } = require('node:stream/consumers');
const { Client, types } = require('pg');
const { from: copyFrom, to: copyTo } = require('pg-copy-streams');

const PATHS = ['EMEA', null, 'US."St. Louis"']; // what setup.sql puts into an array
const TEXT_ARRAY = 1009; // the OID of text[]
const db = new Client();

// values(SQL, PARAMETER...): the first column of a query's result
async function values(sql, ...parameters) {
  const result = await db.query({ text: sql, values: parameters, rowMode: 'array' });
  return result.rows.map((row) => row[0]);
}

// foundInIndex(IDS, CONDITION, PARAMETER): the condition on regions finds the ids, by an index
async function foundInIndex(ids, condition, parameter) {
  assert.deepEqual(await values(`SELECT id FROM region WHERE ${condition} ORDER BY id`, parameter), ids);
  planHasIndex(await values(`EXPLAIN SELECT id FROM region WHERE ${condition}`, parameter));
}

function planHasIndex(plan) {
  assert(plan.some((line) => line.includes('Index Cond: (')), plan.join('\n'));
}

const checks = {
  async read() {
    assert.deepEqual(await values('SELECT path FROM region WHERE id = 2'), ['EMEA.Benelux']);
  },

  async write() {
    await db.query('INSERT INTO region (id, path) VALUES (9, $1)', ['EMEA.Nordics']);
    assert.deepEqual(await values('SELECT path FROM region WHERE id = 9'), ['EMEA.Nordics']);
    for (const path of ['US."St. Louis"', '']) {
      await db.query('UPDATE region SET path = $1 WHERE id = 9', [path]);
      assert.deepEqual(await values('SELECT path FROM region WHERE id = 9'), [path]);
    }
  },

  async compare() {
    await foundInIndex([3], 'path = $1', 'EMEA.DACH');
    await foundInIndex([1, 2, 3], 'path <@ $1', 'EMEA');
    await foundInIndex([1, 2], 'path @> $1', 'EMEA.Benelux.Brussels');
  },

  async any() {
    const paths = ['EMEA', 'EMEA.DACH', 'nowhere'];
    await foundInIndex([1, 3], 'path = any($1)', paths);
    await foundInIndex([1, 3], 'path = any($1::territory[])', paths);
  },

  async array() {
    assert.deepEqual(await values('SELECT paths FROM region WHERE id = 2'), ['{EMEA,NULL,"US.\\"St. Louis\\""}']);
    // an array is its text, until it has the parser of text[]
    const [oid] = await values("SELECT typarray FROM pg_type WHERE oid = 'territory'::regtype");
    db.setTypeParser(oid, types.getTypeParser(TEXT_ARRAY));
    assert.deepEqual(await values('SELECT paths FROM region WHERE id = 2'), [PATHS]);
    await db.query('UPDATE region SET paths = $1 WHERE id = 3', [PATHS]);
    assert.deepEqual(await values('SELECT paths FROM region WHERE id = 3'), [PATHS]);
  },

  async null() {
    assert.deepEqual(await values('SELECT path FROM region WHERE id = 4'), [null]);
    await db.query('UPDATE region SET path = $1, paths = $2 WHERE id = 2', [null, null]);
    assert.deepEqual(await values('SELECT id FROM region WHERE id = 2 AND path IS NULL AND paths IS NULL'), [2]);
  },

  async transfer() {
    const result = await db.query({ text: 'SELECT path FROM region WHERE id = $1', values: [2], binary: true });
    assert.equal(result.fields[0].format, 'binary');
    assert.deepEqual(result.rows, [{ path: '\x01EMEA.Benelux' }]);
    return 'binary: the version byte 1 and the text';
  },

  async metadata() {
    const { fields: [path, paths] } = await db.query('SELECT path, paths FROM region');
    assert.equal(path.name, 'path');
    const names = [path, paths].map((field) => values('SELECT $1::oid::regtype::text', field.dataTypeID));
    assert.deepEqual(await Promise.all(names), [['territory'], ['territory[]']]);
    return 'the OID';
  },

  async prepare() {
    await db.query('SET LOCAL plan_cache_mode = force_generic_plan');
    for (const [path, count] of [['EMEA', 3], ['EMEA.DACH', 1], ['nowhere', 0]]) {
      const statement = { name: 'subtree', text: 'SELECT count(*)::int FROM region WHERE path <@ $1', values: [path] };
      assert.deepEqual((await db.query(statement)).rows, [{ count }]);
    }
    const plans = await values("SELECT generic_plans FROM pg_prepared_statements WHERE name = 'subtree'");
    assert.deepEqual(plans, ['3']);
    planHasIndex(await values("EXPLAIN EXECUTE subtree ('EMEA')"));
  },

  async error() {
    await assert.rejects(db.query('UPDATE region SET path = $1 WHERE id = 1', ['A..B']),
      { code: '22P02', detail: 'Empty label at character 3.' });
    await db.query('ROLLBACK');
    await assert.rejects(db.query('SELECT path + 1 FROM region'), { code: '42883', position: '13' });
  },

  // what COPY writes it reads
  async copy() {
    const before = await values('SELECT path FROM region WHERE id < 5 ORDER BY id');
    for (const form of ['text', 'binary']) {
      const source = '(SELECT id + 100, path FROM region WHERE id < 5)';
      const data = await buffer(db.query(copyTo(`COPY ${source} TO STDOUT (FORMAT ${form})`)));
      await pipeline(Readable.from([data]), db.query(copyFrom(`COPY region (id, path) FROM STDIN (FORMAT ${form})`)));
      assert.deepEqual(await values('SELECT path FROM region WHERE id BETWEEN 101 AND 104 ORDER BY id'), before);
      await db.query('DELETE FROM region WHERE id BETWEEN 101 AND 104');
    }
    return 'with pg-copy-streams';
  },

  async unusual() {
    const { rows } = await db.query('SELECT name, text FROM unusual');
    const texts = Object.fromEntries(rows.map((row) => [row.name, row.text]));
    assert.equal(texts.Unicode, 'EMEA."St. Louis".Île-de-France.東京');
    assert.deepEqual(texts.long.split('.').slice(998).map((label) => label.length), [4, 1000]);
    for (const [name, expected] of Object.entries(texts)) {
      assert.deepEqual(await values('SELECT path FROM unusual WHERE name = $1', name), [expected]);
      await db.query('UPDATE unusual SET path = $1 WHERE name = $2', [`${expected}.東京`, name]);
      assert.deepEqual(await values('SELECT path FROM unusual WHERE name = $1', name), [`${expected}.東京`]);
    }
  },
};

// run(): every check of checks.txt in a transaction of its own, and TAP; a check may return a note to be printed
// with its name
async function run() {
  const lines = readFileSync('checks.txt', 'utf8').trimEnd().split('\n');
  const titles = lines.map((line) => line.match(/^(\S+) +(.*)$/).slice(1));
  assert.deepEqual(Object.keys(checks), titles.map(([name]) => name), 'checks.txt and the program differ');
  await db.connect();
  console.log(`1..${titles.length}`);
  for (const [index, [name, title]] of titles.entries()) {
    await db.query('BEGIN');
    try {
      const note = await checks[name]();
      console.log(`ok ${index + 1} - ${title}${note ? ` (${note})` : ''}`);
    } catch (error) {
      console.log(`not ok ${index + 1} - ${title}`);
      console.log(`# ${error.stack.replaceAll('\n', '\n# ')}`);
    }
    await db.query('ROLLBACK');
  }
  await db.end();
}

run();
