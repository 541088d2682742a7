"""Drives PyPI's model-runner-client by commands, one JSON object per line, and answers each with one line."""

import asyncio
import json
import struct
import sys

from model_runner_client.grpc.generated.commons_pb2 import Argument, Variant, VariantType
from model_runner_client.model_concurrent_runners import DynamicSubclassModelConcurrentRunner


def variant(value):
    if isinstance(value, str):
        return Variant(type=VariantType.STRING, value=value.encode())
    if isinstance(value, int):
        return Variant(type=VariantType.INT, value=struct.pack("<q", value))
    return Variant(type=VariantType.JSON, value=json.dumps(value).encode())


def arguments(values):
    return [Argument(position=position, data=variant(value)) for position, value in enumerate(values, start=1)]


def models(client):
    return {
        model.model_id: {"deployment_id": model.deployment_id, "model_name": model.model_name, "infos": model.infos}
        for model in client.model_cluster.models_run.values()
    }


async def call(client, method, values):
    results = await client.call(method, arguments=(arguments(values), []))
    return {model.model_id: {"status": result.status.value, "result": result.result} for model, result in results.items()}


async def answer(client, command):
    if command["do"] == "models":
        return models(client)
    if command["do"] == "call":
        return await call(client, command["method"], command["arguments"])
    if command["do"] == "report":
        model = client.model_cluster.models_run[command["model"]]
        await client.model_cluster.process_failure(model, command["code"], command["reason"])
        return {}
    raise ValueError(f"unknown command {command}")


async def main(port, crunch_id, base_class):
    client = DynamicSubclassModelConcurrentRunner(
        timeout=10, crunch_id=crunch_id, host="127.0.0.1", port=int(port), base_classname=base_class
    )
    await client.init()
    listening = asyncio.create_task(client.sync())
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(await answer(client, json.loads(line))), flush=True)
    listening.cancel()


asyncio.run(main(*sys.argv[1:]))
