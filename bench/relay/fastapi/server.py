"""FastAPI with redis.asyncio: `python server.py <host:port> <redis host:port>`.

Better than the usual example, which opens one connection to Redis per socket: one subscription per
process, a queue per viewer, and a loop that subscribes anew when the connection breaks.
"""

import asyncio
import sys
from contextlib import asynccontextmanager

import redis.asyncio
import uvicorn
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect

viewers: dict[str, set[asyncio.Queue]] = {}
connection = redis.asyncio.Redis.from_url(f"redis://{sys.argv[2]}/")
subscription = None


async def relay():
    global subscription
    while True:
        try:
            async with connection.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe("probe", *(f"job:{job}" for job in viewers))
                subscription = pubsub
                # Who came while the answer was awaited.
                await pubsub.subscribe(*(f"job:{job}" for job in viewers), "probe")
                async for message in pubsub.listen():
                    job = message["channel"].decode().removeprefix("job:")
                    text = message["data"].decode()
                    for queue in viewers.get(job, ()):
                        queue.put_nowait(text)
        except (redis.exceptions.RedisError, OSError):
            subscription = None
            await asyncio.sleep(0.2)


@asynccontextmanager
async def lifespan(_):
    task = asyncio.create_task(relay())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/readyz")
async def ready():
    return Response(status_code=200 if subscription else 503)


@app.websocket("/ws/{job}")
async def watch(socket: WebSocket, job: str):
    await socket.accept()
    queue = asyncio.Queue()
    if job not in viewers:
        viewers[job] = set()
        if subscription:
            await subscription.subscribe(f"job:{job}")
    viewers[job].add(queue)
    await socket.send_text("joined")
    sending = asyncio.create_task(send(socket, queue))
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        sending.cancel()
        viewers[job].discard(queue)


async def send(socket, queue):
    while True:
        await socket.send_text(await queue.get())


if __name__ == "__main__":
    host, port = sys.argv[1].split(":")
    uvicorn.run(app, host=host, port=int(port), log_level="error", access_log=False,
                loop="uvloop", http="httptools", ws="websockets-sansio", ws_per_message_deflate=False)
