"""The same work in other tools: sessions.py <polars|pandas|duckdb> <file> <folder>.

Reads the log, cuts users at pauses longer than 30 minutes, drops sessions of one event, writes the sessions as lists, a
Parquet file per day of their start. Prints one line of JSON.
"""
import json
import os
import resource
import sys
import time

tool, file, folder = sys.argv[1:4]
os.makedirs(folder, exist_ok=True)
is_text = file.endswith(".tsv")
start = time.perf_counter()

if tool == "polars":
    import polars as pl

    log = pl.scan_csv(file, separator="\t").with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")) if is_text else pl.scan_parquet(file)
    sessions = (
        log.select("user", "time", "artist")
        .with_columns(pl.col("artist").rank("dense").cast(pl.Int32))
        .sort("user", "time", maintain_order=True)
        .with_columns(
            ((pl.col("user") != pl.col("user").shift()) | (pl.col("time") - pl.col("time").shift() > pl.duration(minutes=30)))
            .fill_null(True).cum_sum().alias("session")
        )
        .group_by("session", maintain_order=True).agg(pl.col("user").first(), pl.col("time"), pl.col("artist"))
        .filter(pl.col("artist").list.len() >= 2)
        .with_columns(pl.col("time").list.first().dt.date().alias("day"))
        .collect()
    )
    num_sessions = sessions.height
    for (day,), part in sessions.partition_by("day", as_dict=True).items():
        part.write_parquet(f"{folder}/{day}.parquet")
elif tool == "pandas":
    import pandas as pd

    log = pd.read_csv(file, sep="\t", parse_dates=["time"], usecols=["user", "time", "artist"]) if is_text else pd.read_parquet(file, columns=["user", "time", "artist"])
    log["artist"] = log["artist"].astype("category").cat.codes
    log["user"] = log["user"].astype("category").cat.codes
    log = log.sort_values(["user", "time"], kind="stable")
    cut = (log["user"].diff() != 0) | (log["time"].diff() > pd.Timedelta(minutes=30))
    log["session"] = cut.cumsum()
    sessions = log.groupby("session", sort=False).agg(user=("user", "first"), start=("time", "first"), time=("time", list), artist=("artist", list))
    sessions = sessions[sessions["artist"].str.len() >= 2]
    num_sessions = len(sessions)
    for day, part in sessions.groupby(sessions["start"].dt.date):
        part.to_parquet(f"{folder}/{day}.parquet")
else:
    import duckdb

    limit = sys.argv[4] if len(sys.argv) > 4 else "8GB"
    db = duckdb.connect(":memory:", config={"memory_limit": limit, "temp_directory": f"{folder}/spill"})
    db.execute("SET TimeZone = 'UTC'")
    source = f"read_csv('{file}', delim='\t', header=true)" if is_text else f"read_parquet('{file}')"
    db.execute(f"""
        COPY (
          WITH marked AS (
            SELECT user, time, artist, coalesce(time - lag(time) OVER w > INTERVAL 30 MINUTE, true) AS cut
            FROM {source} WINDOW w AS (PARTITION BY user ORDER BY time)),
          numbered AS (SELECT *, sum(cut::INT) OVER (PARTITION BY user ORDER BY time ROWS UNBOUNDED PRECEDING) AS session FROM marked)
          SELECT user, session, CAST(min(time) AS DATE) AS day, list(time ORDER BY time) AS times, list(artist ORDER BY time) AS artists
          FROM numbered GROUP BY user, session HAVING count(*) >= 2
        ) TO '{folder}' (FORMAT parquet, PARTITION_BY (day), OVERWRITE_OR_IGNORE)""")
    num_sessions = db.execute(f"SELECT count(*) FROM read_parquet('{folder}/**/*.parquet')").fetchone()[0]

seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peakMemoryMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "numSessions": num_sessions}))
