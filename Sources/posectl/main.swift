print("posectl")
