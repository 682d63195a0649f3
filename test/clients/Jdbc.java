import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * The checks with PostgreSQL's JDBC driver, which sends parameters apart from the statement: setString as varchar. Each
 * line of checks.txt is the name of a check, an entry of the map below, and what it says.
 */
public class Jdbc {
  /** A check may return a note to be printed with its name, or null. */
  interface Check {
    String run() throws Exception;
  }

  /** What setup.sql puts into an array. */
  static final String[] PATHS = {"EMEA", null, "US.\"St. Louis\""};

  final Connection db;
  final Map<String, Check> checks = new LinkedHashMap<>();

  Jdbc(Connection db) {
    this.db = db;
    checks.put("read", this::read);
    checks.put("write", this::write);
    checks.put("compare", this::compare);
    checks.put("any", this::any);
    checks.put("array", this::array);
    checks.put("null", this::nulls);
    checks.put("transfer", this::transfer);
    checks.put("metadata", this::metadata);
    checks.put("prepare", this::prepare);
    checks.put("error", this::error);
    checks.put("copy", this::copy);
    checks.put("unusual", this::unusual);
  }

  // ---------- what the checks use ----------

  static void same(Object got, Object expected) {
    if (!expected.equals(got)) {
      throw new AssertionError("got " + got + ", expected " + expected);
    }
  }

  /** Prepares a statement; strings are bound by setString, arrays by setArray. */
  PreparedStatement bound(String sql, Object... parameters) throws SQLException {
    PreparedStatement statement = db.prepareStatement(sql);
    for (int i = 0; i < parameters.length; i++) {
      if (parameters[i] instanceof String) {
        statement.setString(i + 1, (String) parameters[i]);
      } else {
        statement.setArray(i + 1, (java.sql.Array) parameters[i]);
      }
    }
    return statement;
  }

  void execute(String sql, Object... parameters) throws SQLException {
    bound(sql, parameters).execute();
  }

  /** The first column of a result, as text. */
  static List<String> values(ResultSet rows) throws SQLException {
    List<String> values = new ArrayList<>();
    while (rows.next()) {
      values.add(rows.getString(1));
    }
    return values;
  }

  List<String> values(String sql, Object... parameters) throws SQLException {
    return values(bound(sql, parameters).executeQuery());
  }

  /** The condition on regions, with one parameter, finds the ids. */
  void found(List<String> ids, String condition, Object parameter) throws SQLException {
    same(values("SELECT id FROM region WHERE " + condition + " ORDER BY id", parameter), ids);
  }

  void foundInIndex(List<String> ids, String condition, Object parameter) throws SQLException {
    found(ids, condition, parameter);
    planHasIndex(values("EXPLAIN SELECT id FROM region WHERE " + condition, parameter));
  }

  static void planHasIndex(List<String> plan) {
    if (plan.stream().noneMatch(line -> line.contains("Index Cond: ("))) {
      throw new AssertionError(plan);
    }
  }

  /** What the server says about a statement that must fail. */
  ServerErrorMessage failure(String sql, Object... parameters) throws SQLException {
    try {
      execute(sql, parameters);
    } catch (PSQLException error) {
      return error.getServerErrorMessage();
    }
    throw new AssertionError("no error: " + sql);
  }

  // ---------- the checks ----------

  String read() throws SQLException {
    same(values("SELECT path FROM region WHERE id = 2"), List.of("EMEA.Benelux"));
    return null;
  }

  String write() throws SQLException {
    execute("INSERT INTO region (id, path) VALUES (9, ?)", "EMEA.Nordics");
    same(values("SELECT path FROM region WHERE id = 9"), List.of("EMEA.Nordics"));
    for (String path : new String[] {"US.\"St. Louis\"", ""}) {
      execute("UPDATE region SET path = ? WHERE id = 9", path);
      same(values("SELECT path FROM region WHERE id = 9"), List.of(path));
    }
    return "setString";
  }

  String compare() throws SQLException {
    foundInIndex(List.of("3"), "path = ?", "EMEA.DACH");
    foundInIndex(List.of("1", "2", "3"), "path <@ ?", "EMEA");
    foundInIndex(List.of("1", "2"), "path @> ?", "EMEA.Benelux.Brussels");
    foundInIndex(List.of("1", "2", "3"), "? @> path", "EMEA");
    // what is sent as varchar becomes a path by itself only beside an operator
    foundInIndex(List.of("1", "2", "3"), "is_ancestor(?::territory, path)", "EMEA");
    return "setString; as an argument of a function ?::territory";
  }

  String any() throws SQLException {
    String[] paths = {"EMEA", "EMEA.DACH", "nowhere"};
    found(List.of("1", "3"), "path = any(?)", db.createArrayOf("text", paths));
    foundInIndex(List.of("1", "3"), "path = any(?::territory[])", db.createArrayOf("text", paths));
    foundInIndex(List.of("1", "3"), "path = any(?)", db.createArrayOf("territory", paths));
    return "if made by createArrayOf(\"territory\", ...), or cast";
  }

  String array() throws SQLException {
    for (String type : new String[] {"territory", "text"}) {
      execute("UPDATE region SET paths = ? WHERE id = 3", db.createArrayOf(type, PATHS));
      ResultSet rows = bound("SELECT paths FROM region WHERE id IN (2, 3)").executeQuery();
      for (int row = 0; row < 2; row++) {
        rows.next();
        List<String> paths = new ArrayList<>();
        for (Object path : (Object[]) rows.getArray(1).getArray()) {
          paths.add(path == null ? null : path.toString());
        }
        same(paths, Arrays.asList(PATHS));
      }
    }
    return "of PGobject";
  }

  String nulls() throws SQLException {
    same(values("SELECT path FROM region WHERE id = 4").get(0) == null, true);
    PreparedStatement statement = bound("UPDATE region SET path = ?, paths = ? WHERE id = 2");
    statement.setNull(1, Types.VARCHAR);
    statement.setNull(2, Types.ARRAY);
    statement.execute();
    same(values("SELECT id FROM region WHERE id = 2 AND path IS NULL AND paths IS NULL"), List.of("2"));
    return null;
  }

  /** The connection has binaryTransfer on, with which the driver asks for the built-in types that it knows. */
  String transfer() throws SQLException {
    PreparedStatement statement = bound("SELECT path FROM region WHERE id = 2");
    for (int i = 0; i < 3; i++) {
      ResultSet rows = statement.executeQuery();
      rows.next();
      same(new String(rows.getBytes(1), StandardCharsets.UTF_8), "EMEA.Benelux");
    }
    return "text, with binaryTransfer too";
  }

  String metadata() throws SQLException {
    ResultSet rows = bound("SELECT path, paths FROM region WHERE id = 2").executeQuery();
    var result = rows.getMetaData();
    same(result.getColumnTypeName(1) + ", " + result.getColumnTypeName(2), "territory, _territory");
    same(List.of(result.getColumnType(1), result.getColumnType(2)), List.of(Types.OTHER, Types.ARRAY));
    rows.next();
    PGobject path = (PGobject) rows.getObject(1);
    same(path.getType() + " " + path.getValue(), "territory EMEA.Benelux");
    ResultSet column = db.getMetaData().getColumns(null, "public", "region", "path");
    column.next();
    same(column.getString("TYPE_NAME"), "territory");
    return "the name, Types.OTHER; getObject gives a PGobject";
  }

  /** The connection has prepareThreshold=1: the first run prepares. */
  String prepare() throws SQLException {
    execute("SET LOCAL plan_cache_mode = force_generic_plan");
    PreparedStatement statement = db.prepareStatement("SELECT count(*) FROM region WHERE path <@ ?");
    Map<String, String> counts = Map.of("EMEA", "3", "EMEA.DACH", "1", "nowhere", "0");
    for (String path : counts.keySet()) {
      statement.setString(1, path);
      same(values(statement.executeQuery()), List.of(counts.get(path)));
    }
    ResultSet plans = bound("SELECT name, generic_plans FROM pg_prepared_statements"
        + " WHERE statement ~ '^SELECT count'").executeQuery();
    plans.next();
    same(plans.getInt("generic_plans"), counts.size());
    planHasIndex(values("EXPLAIN EXECUTE \"" + plans.getString("name") + "\" ('EMEA')"));
    return "prepareThreshold=1";
  }

  String error() throws SQLException {
    ServerErrorMessage error = failure("UPDATE region SET path = ? WHERE id = 1", "A..B");
    same(error.getSQLState() + " " + error.getDetail(), "22P02 Empty label at character 3.");
    db.rollback();
    error = failure("SELECT path + 1 FROM region");
    same(error.getSQLState() + " " + error.getPosition(), "42883 13");
    return null;
  }

  /** What COPY writes it reads. */
  String copy() throws Exception {
    List<String> before = values("SELECT path FROM region WHERE id < 5 ORDER BY id");
    CopyManager manager = db.unwrap(PGConnection.class).getCopyAPI();
    for (String form : new String[] {"text", "binary"}) {
      ByteArrayOutputStream data = new ByteArrayOutputStream();
      manager.copyOut("COPY (SELECT id + 100, path FROM region WHERE id < 5) TO STDOUT (FORMAT " + form + ")", data);
      manager.copyIn("COPY region (id, path) FROM STDIN (FORMAT " + form + ")",
          new ByteArrayInputStream(data.toByteArray()));
      same(values("SELECT path FROM region WHERE id BETWEEN 101 AND 104 ORDER BY id"), before);
      execute("DELETE FROM region WHERE id BETWEEN 101 AND 104");
    }
    return "CopyManager";
  }

  String unusual() throws SQLException {
    Map<String, String> texts = new LinkedHashMap<>();
    ResultSet rows = bound("SELECT name, text FROM unusual").executeQuery();
    while (rows.next()) {
      texts.put(rows.getString(1), rows.getString(2));
    }
    same(texts.get("Unicode"), "EMEA.\"St. Louis\".Île-de-France.東京");
    String[] labels = texts.get("long").split("\\.");
    same(labels.length + " " + labels[999].length(), "1000 1000");
    for (String name : texts.keySet()) {
      String text = texts.get(name);
      same(values("SELECT path FROM unusual WHERE name = ?", name), List.of(text));
      execute("UPDATE unusual SET path = ? WHERE name = ?", text + ".東京", name);
      same(values("SELECT path FROM unusual WHERE name = ?", name), List.of(text + ".東京"));
    }
    return null;
  }

  // ---------- all of them ----------

  /** Runs every check of checks.txt in a transaction of its own and prints TAP. */
  void run() throws Exception {
    Map<String, String> titles = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of("checks.txt"))) {
      String[] parts = line.split(" +", 2);
      titles.put(parts[0], parts[1]);
    }
    same(checks.keySet(), titles.keySet());
    System.out.println("1.." + titles.size());
    int number = 0;
    for (String name : titles.keySet()) {
      number++;
      try {
        String note = checks.get(name).run();
        System.out.println("ok " + number + " - " + titles.get(name) + (note == null ? "" : " (" + note + ")"));
      } catch (Exception | AssertionError error) {
        System.out.println("not ok " + number + " - " + titles.get(name));
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        System.out.println("# " + trace.toString().replace("\n", "\n# "));
      }
      db.rollback();
    }
  }

  /** The driver knows no Unix sockets; it takes the rest of what libpq finds in the environment. */
  public static void main(String[] arguments) throws Exception {
    Map<String, String> environment = System.getenv();
    Properties settings = new Properties();
    settings.setProperty("user", environment.get("PGUSER"));
    settings.setProperty("prepareThreshold", "1");
    settings.setProperty("binaryTransfer", "true");
    String url = "jdbc:postgresql://127.0.0.1:" + environment.get("PGPORT") + "/" + environment.get("PGDATABASE");
    try (Connection db = DriverManager.getConnection(url, settings)) {
      db.setAutoCommit(false);
      new Jdbc(db).run();
    }
  }
}
